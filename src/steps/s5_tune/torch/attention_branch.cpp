#include <array>
#include <span>
#include <vector>

#include "steps/s5_tune/torch/attention.hpp"
#include "steps/s5_tune/torch/branch.hpp"
#include "steps/s5_tune/torch/norm.hpp"
#include "steps/s5_tune/torch/operations.hpp"

namespace understudy::s5 {

namespace {

struct AttentionBranchPass final : BranchPass {
  at::Tensor qkv;                       // fused families only: what q, k, v are views of
  AttentionInput heads;                 // normed and turned
  at::Tensor query_before, key_before;  // of the norms on q and k
  Norm::Pass query_norm, key_norm;
  AttentionPass attention;
  std::array<AdaptedLinear::Pass, 4> linears;
};

AttentionInput split_heads(const at::Tensor& qkv, const DecoderPlan& plan) {
  const std::int64_t q = plan.query_width();
  const std::int64_t kv = plan.kv_width();
  return {.query = qkv.narrow(1, 0, q),
          .key = qkv.narrow(1, q, kv),
          .value = qkv.narrow(1, q + kv, kv)};
}

std::vector<AdaptedLinear> input_linears(const BranchParts& parts) {
  if (parts.plan.fused_qkv) return {parts.linear("attn_qkv")};
  return {parts.linear("attn_q"), parts.linear("attn_k"), parts.linear("attn_v")};
}

class AttentionBranch final : public Branch {
 public:
  AttentionBranch(const BranchParts& parts, at::Tensor turns)
      : plan_(parts.plan),
        operations_(parts.weights.computing()),
        shape_{.heads = plan_.heads,
               .kv_heads = plan_.kv_heads,
               .head_width = plan_.head_width,
               .window = plan_.layers[static_cast<std::size_t>(parts.layer)].window,
               .scale = plan_.attention_scale,
               .cap = plan_.attention_cap},
        turns_(std::move(turns)),
        turned_(plan_.layers[static_cast<std::size_t>(parts.layer)].turned),
        inputs_(input_linears(parts)) {
    output_.push_back(parts.linear("attn_output"));
    if (plan_.query_key_norms) {
      const Norm::Options options{.epsilon = plan_.norm_epsilon};
      query_norm_ = Norm(parts.weights, parts.name("attn_q_norm"), options);
      key_norm_ = Norm(parts.weights, parts.name("attn_k_norm"), options);
    }
  }

  at::Tensor forward(const Pack& pack, const at::Tensor& normed, std::uint64_t seed,
                     std::unique_ptr<BranchPass>& kept) override {
    auto made = std::make_unique<AttentionBranchPass>();
    AttentionBranchPass& pass = *made;
    kept = std::move(made);
    for (std::size_t i = 0; i < pass.linears.size() && seed != 0; ++i) {
      pass.linears[i].dropout_seed = mixed_seed(seed, i);
    }
    if (plan_.fused_qkv) {
      pass.qkv = inputs_.forward(normed, std::span(pass.linears).first(1)).front();
      pass.heads = split_heads(pass.qkv, plan_);
    } else {
      const auto given = inputs_.forward(normed, std::span(pass.linears).first(3));
      pass.heads = {.query = given[0], .key = given[1], .value = given[2]};
    }
    if (plan_.query_key_norms) {
      pass.query_before = pass.heads.query;
      pass.key_before = pass.heads.key;
      pass.heads.query = query_norm_.forward(pass.query_before, pass.query_norm);
      pass.heads.key = key_norm_.forward(pass.key_before, pass.key_norm);
    }
    turn(pass.heads.query, pack, 1);
    turn(pass.heads.key, pack, 1);
    pass.attention = operations_.attend(pack, shape_, pass.heads);
    return output_[0].forward(pass.attention.out, pass.linears[3]);
  }

  void backward(const Pack& pack, const at::Tensor& dout, const at::Tensor& normed,
                const BranchPass& kept, at::Tensor& dnormed) override {
    const auto& pass = static_cast<const AttentionBranchPass&>(kept);
    at::Tensor dattended;
    output_[0].backward(dout, pass.attention.out, pass.linears[3], dattended);
    at::Tensor dqkv;
    AttentionInput dheads;
    if (plan_.fused_qkv) {
      dqkv = at::empty_like(pass.qkv);
      dheads = split_heads(dqkv, plan_);
    } else {
      dheads = {.query = at::empty_like(pass.heads.query),
                .key = at::empty_like(pass.heads.key),
                .value = at::empty_like(pass.heads.value)};
    }
    operations_.attend_backward(pack, shape_, pass.heads, pass.attention, dattended, dheads);
    turn(dheads.query, pack, -1);
    turn(dheads.key, pack, -1);
    if (plan_.query_key_norms) {
      dheads.query = query_norm_.backward(dheads.query, pass.query_before, pass.query_norm, {});
      dheads.key = key_norm_.backward(dheads.key, pass.key_before, pass.key_norm, {});
    }
    if (plan_.fused_qkv) {
      inputs_.backward({dqkv}, normed, std::span(pass.linears).first(1), dnormed);
      return;
    }
    inputs_.backward({dheads.query, dheads.key, dheads.value}, normed,
                     std::span(pass.linears).first(3), dnormed);
  }

 private:
  void turn(const at::Tensor& rows, const Pack& pack, int direction) const {
    if (!turned_ || plan_.rope_width == 0) return;
    operations_.turn_heads(rows, {.head_width = plan_.head_width,
                                  .rope_width = plan_.rope_width,
                                  .pairs = plan_.rope_pairs,
                                  .positions = pack.positions,
                                  .turns = turns_,
                                  .direction = direction});
  }

  const DecoderPlan& plan_;
  Operations operations_;
  AttentionShape shape_;
  at::Tensor turns_;
  bool turned_;
  AdaptedInputs inputs_;               // qkv, or q, k, v
  std::vector<AdaptedLinear> output_;  // one
  Norm query_norm_, key_norm_;
};

}  // namespace

std::unique_ptr<Branch> make_attention(const BranchParts& parts, const at::Tensor& turns) {
  return std::make_unique<AttentionBranch>(parts, turns);
}

}  // namespace understudy::s5
