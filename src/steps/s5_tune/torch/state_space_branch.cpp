// Mamba-2 as libllama and transformers have it: in-projection to z | x B C | dt, a short
// convolution with SiLU over x B C, the recurrence, D x, gating by SiLU(z), an RMS norm by groups
// (Falcon-H1: none), out-projection. Frozen: only the gradient of its input is computed.
#include <ATen/ops/cat.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <ATen/ops/softplus.h>

#include "steps/s5_tune/torch/branch.hpp"
#include "steps/s5_tune/torch/operations.hpp"

namespace understudy::s5 {

namespace {

struct StateSpacePass final : BranchPass {
  at::Tensor z, convolved;  // in the type of sums, as all between the projections
  at::Tensor dt_before;     // softplus makes it dt
  at::Tensor y;             // of the recurrence, with D x
  AdaptedLinear::Pass in, out;
};

class StateSpaceBranch final : public Branch {
 public:
  explicit StateSpaceBranch(const BranchParts& parts)
      : plan_(parts.plan.state_space),
        operations_(parts.weights.computing()),
        epsilon_(parts.plan.norm_epsilon),
        in_(parts.linear("ssm_in")),
        out_(parts.linear("ssm_out")),
        taps_(parts.weights.vector(parts.name("ssm_conv1d.weight"))),
        taps_bias_(parts.weights.vector(parts.name("ssm_conv1d.bias"))),
        dt_bias_(parts.weights.vector(parts.name("ssm_dt.bias"))),
        decay_(parts.weights.vector(parts.name("ssm_a"))),
        skip_(parts.weights.vector(parts.name("ssm_d"))),
        gain_(parts.weights.vector(parts.name("ssm_norm.weight"))) {
    if (!taps_bias_.defined()) taps_bias_ = at::zeros({plan_.convolved()}, taps_.options());
  }

  at::Tensor forward(const Pack& pack, const at::Tensor& normed, std::uint64_t,
                     std::unique_ptr<BranchPass>& kept) override {
    auto made = std::make_unique<StateSpacePass>();
    StateSpacePass& pass = *made;
    kept = std::move(made);
    const at::Tensor projected = in_.forward(normed, pass.in).to(decay_.scalar_type());
    pass.z = projected.narrow(1, 0, plan_.inner()).contiguous();
    const at::Tensor before = projected.narrow(1, plan_.inner(), plan_.convolved()).contiguous();
    pass.convolved = operations_.convolve(pack, convolution(), before);
    pass.dt_before =
        projected.narrow(1, plan_.inner() + plan_.convolved(), plan_.heads).add(dt_bias_);
    const at::Tensor xbc = at::silu(pass.convolved);
    const at::Tensor dt = at::softplus(pass.dt_before);
    pass.y = operations_.scan(pack, shape(), {.xbc = xbc, .dt = dt, .decay = decay_});
    pass.y.add_(skipped(xbc.narrow(1, 0, plan_.inner())));
    const at::Tensor gated = at::silu(pass.z).mul_(pass.y);
    return out_.forward(normed_groups(gated).to(normed.scalar_type()), pass.out);
  }

  void backward(const Pack& pack, const at::Tensor& dout, const at::Tensor& normed,
                const BranchPass& kept, at::Tensor& dnormed) override {
    const auto& pass = static_cast<const StateSpacePass&>(kept);
    const at::Tensor open = at::silu(pass.z);
    const at::Tensor gated = open.mul(pass.y);
    at::Tensor dgrouped;
    out_.backward(dout, normed_groups(gated).to(normed.scalar_type()), pass.out, dgrouped);
    const at::Tensor dgated = normed_groups_backward(dgrouped.to(decay_.scalar_type()), gated);
    const at::Tensor dz = at::silu_backward(dgated.mul(pass.y), pass.z);
    const at::Tensor dy = dgated.mul(open);

    const at::Tensor xbc = at::silu(pass.convolved);
    const at::Tensor dt = at::softplus(pass.dt_before);
    const auto [dxbc, ddt] =
        operations_.scan_backward(pack, shape(), {.xbc = xbc, .dt = dt, .decay = decay_}, dy);
    dxbc.narrow(1, 0, plan_.inner()).add_(skipped(dy));
    ddt.mul_(at::sigmoid(pass.dt_before));
    const at::Tensor dconvolved = at::silu_backward(dxbc, pass.convolved);
    const at::Tensor dbefore = operations_.convolve_backward(pack, convolution(), dconvolved);
    in_.backward(at::cat({dz, dbefore, ddt}, 1).to(normed.scalar_type()), normed, pass.in, dnormed);
  }

 private:
  [[nodiscard]] ScanShape shape() const {
    return {.heads = plan_.heads,
            .head_width = plan_.head_width,
            .groups = plan_.groups,
            .state = plan_.state};
  }
  [[nodiscard]] Convolution convolution() const {
    return {.shape = {.channels = plan_.convolved(), .taps = plan_.convolution},
            .weight = taps_,
            .bias = taps_bias_};
  }
  // D x, by heads.
  [[nodiscard]] at::Tensor skipped(const at::Tensor& x) const {
    return x.unflatten(1, {plan_.heads, plan_.head_width})
        .mul(skip_.view({1, plan_.heads, 1}))
        .flatten(1);
  }
  [[nodiscard]] at::Tensor grouped(const at::Tensor& rows) const {
    return rows.contiguous().view({rows.size(0) * plan_.groups, plan_.inner() / plan_.groups});
  }
  [[nodiscard]] at::Tensor gain_of_rows(std::int64_t tokens) const {
    return gain_.view({1, plan_.groups, -1})
        .expand({tokens, plan_.groups, plan_.inner() / plan_.groups})
        .reshape({tokens * plan_.groups, -1});
  }
  [[nodiscard]] at::Tensor scale_of(const at::Tensor& groups) const {
    return groups.mul(groups).mean(1, true).add_(epsilon_).rsqrt_();
  }
  [[nodiscard]] at::Tensor normed_groups(const at::Tensor& rows) const {
    if (!plan_.normed) return rows;
    const at::Tensor groups = grouped(rows);
    return groups.mul(scale_of(groups)).mul_(gain_of_rows(rows.size(0))).view_as(rows);
  }
  [[nodiscard]] at::Tensor normed_groups_backward(const at::Tensor& dout,
                                                  const at::Tensor& rows) const {
    if (!plan_.normed) return dout;
    const at::Tensor groups = grouped(rows);
    const at::Tensor scale = scale_of(groups);
    const at::Tensor dgain = grouped(dout).mul(gain_of_rows(rows.size(0)));
    const at::Tensor pull = dgain.mul(groups).mean(1, true).mul_(scale.pow(3));
    return dgain.mul(scale).sub_(groups.mul(pull)).view_as(rows);
  }

  const StateSpacePlan& plan_;
  Operations operations_;
  double epsilon_;
  AdaptedLinear in_, out_;
  at::Tensor taps_, taps_bias_, dt_bias_, decay_, skip_, gain_;
};

}  // namespace

std::unique_ptr<Branch> make_state_space(const BranchParts& parts) {
  return std::make_unique<StateSpaceBranch>(parts);
}

}  // namespace understudy::s5
