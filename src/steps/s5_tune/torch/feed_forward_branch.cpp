#include <array>
#include <span>
#include <vector>

#include "steps/s5_tune/torch/branch.hpp"
#include "steps/s5_tune/torch/operations.hpp"

namespace understudy::s5 {

std::uint64_t mixed_seed(std::uint64_t seed, std::uint64_t with) {
  std::uint64_t mixed = (seed ^ (with + 1) * 0x9E3779B97F4A7C15ULL) * 0xBF58476D1CE4E5B9ULL;
  mixed ^= mixed >> 29U;
  return mixed | 1U;  // 0 means no dropout
}

namespace {

// Gate and up lie side by side in one tensor, or each in its own.
GateUp split_gates(const at::Tensor& both) {
  const std::int64_t width = both.size(1) / 2;
  return {.gate = both.narrow(1, 0, width), .up = both.narrow(1, width, width)};
}

struct FeedForwardPass final : BranchPass {
  at::Tensor gate_up;  // fused families only
  GateUp gates;
  std::array<AdaptedLinear::Pass, 3> linears;
};

std::vector<AdaptedLinear> input_linears(const BranchParts& parts) {
  if (!parts.plan.gated || parts.plan.fused_gate_up) return {parts.linear("ffn_up")};
  return {parts.linear("ffn_gate"), parts.linear("ffn_up")};
}

class FeedForwardBranch final : public Branch {
 public:
  explicit FeedForwardBranch(const BranchParts& parts)
      : plan_(parts.plan), operations_(parts.weights.computing()), inputs_(input_linears(parts)) {
    output_.push_back(parts.linear("ffn_down"));
  }

  at::Tensor forward(const Pack&, const at::Tensor& normed, std::uint64_t seed,
                     std::unique_ptr<BranchPass>& kept) override {
    auto made = std::make_unique<FeedForwardPass>();
    FeedForwardPass& pass = *made;
    kept = std::move(made);
    for (std::size_t i = 0; i < pass.linears.size() && seed != 0; ++i) {
      pass.linears[i].dropout_seed = mixed_seed(seed, feed_forward_places + i);
    }
    const auto given = inputs_.forward(normed, std::span(pass.linears).first(inputs_count()));
    if (plan_.fused_gate_up) {
      pass.gate_up = given[0];
      pass.gates = split_gates(pass.gate_up);
    } else {
      pass.gates.gate = given[0];
      if (plan_.gated) pass.gates.up = given[1];
    }
    return output_[0].forward(operations_.gate(pass.gates, plan_.gate), pass.linears[2]);
  }

  void backward(const Pack&, const at::Tensor& dout, const at::Tensor& normed,
                const BranchPass& kept, at::Tensor& dnormed) override {
    const auto& pass = static_cast<const FeedForwardPass&>(kept);
    at::Tensor dactivated;
    const at::Tensor dlow = output_[0].backward_to_input(dout, pass.linears[2], dactivated);
    std::vector<at::Tensor> dgiven;
    GateUp dgates;
    if (plan_.fused_gate_up) {
      dgiven = {at::empty_like(pass.gate_up)};
      dgates = split_gates(dgiven[0]);
    } else {
      dgates.gate = at::empty_like(pass.gates.gate);
      if (plan_.gated) dgates.up = at::empty_like(pass.gates.up);
      dgiven = {dgates.gate, dgates.up};
    }
    const at::Tensor activated =
        operations_.gate_backward(dactivated, pass.gates, plan_.gate, dgates);
    output_[0].backward_to_weights(dout, activated, pass.linears[2], dlow);
    inputs_.backward(dgiven, normed, std::span(pass.linears).first(inputs_count()), dnormed);
  }

 private:
  [[nodiscard]] std::size_t inputs_count() const {
    return plan_.gated && !plan_.fused_gate_up ? 2 : 1;
  }

  static constexpr std::uint64_t feed_forward_places = 8;  // behind those of attention

  const DecoderPlan& plan_;
  Operations operations_;
  AdaptedInputs inputs_;               // gate and up in one, or gate, up, or up alone
  std::vector<AdaptedLinear> output_;  // one
};

}  // namespace

std::unique_ptr<Branch> make_feed_forward(const BranchParts& parts) {
  return std::make_unique<FeedForwardBranch>(parts);
}

}  // namespace understudy::s5
