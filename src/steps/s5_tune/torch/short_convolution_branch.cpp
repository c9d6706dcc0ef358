// LFM2's mixing of tokens: in-projection to b | c | x, a convolution of b x over the last few
// tokens, channel by channel, multiplied by c, out-projection.
#include <ATen/ops/cat.h>

#include <vector>

#include "steps/s5_tune/torch/branch.hpp"
#include "steps/s5_tune/torch/operations.hpp"

namespace understudy::s5 {

namespace {

struct ShortConvolutionPass final : BranchPass {
  at::Tensor projected;         // b | c | x
  at::Tensor convolved, gated;  // gated: what goes into the out-projection
  AdaptedLinear::Pass in, out;
};

class ShortConvolutionBranch final : public Branch {
 public:
  explicit ShortConvolutionBranch(const BranchParts& parts)
      : operations_(parts.weights.computing()),
        in_(parts.linear("shortconv.in_proj")),
        out_(parts.linear("shortconv.out_proj")),
        shape_{.channels = parts.plan.width, .taps = parts.plan.short_convolution},
        taps_(parts.weights.vector(parts.name("shortconv.conv.weight"))),
        no_bias_(at::zeros({shape_.channels}, taps_.options())) {}

  at::Tensor forward(const Pack& pack, const at::Tensor& normed, std::uint64_t seed,
                     std::unique_ptr<BranchPass>& kept) override {
    auto made = std::make_unique<ShortConvolutionPass>();
    ShortConvolutionPass& pass = *made;
    kept = std::move(made);
    if (seed != 0) {
      pass.in.dropout_seed = mixed_seed(seed, 0);
      pass.out.dropout_seed = mixed_seed(seed, 1);
    }
    pass.projected = in_.forward(normed, pass.in);
    const at::Tensor mixed = part(pass.projected, 0).mul(part(pass.projected, 2));
    pass.convolved = operations_.convolve(pack, convolution(), mixed);
    pass.gated = pass.convolved.mul(part(pass.projected, 1)).to(normed.scalar_type());
    return out_.forward(pass.gated, pass.out);
  }

  void backward(const Pack& pack, const at::Tensor& dout, const at::Tensor& normed,
                const BranchPass& kept, at::Tensor& dnormed) override {
    const auto& pass = static_cast<const ShortConvolutionPass&>(kept);
    at::Tensor dgated;
    out_.backward(dout, pass.gated, pass.out, dgated);
    dgated = dgated.to(taps_.scalar_type());
    const at::Tensor dconvolved = dgated.mul(part(pass.projected, 1));
    const at::Tensor dmixed = operations_.convolve_backward(pack, convolution(), dconvolved);
    const at::Tensor dprojected =
        at::cat({dmixed.mul(part(pass.projected, 2)), dgated.mul(pass.convolved),
                 dmixed.mul(part(pass.projected, 0))},
                1);
    in_.backward(dprojected.to(normed.scalar_type()), normed, pass.in, dnormed);
  }

 private:
  [[nodiscard]] Convolution convolution() const {
    return {.shape = shape_, .weight = taps_, .bias = no_bias_};
  }
  // In the type of sums.
  [[nodiscard]] at::Tensor part(const at::Tensor& projected, std::int64_t number) const {
    return projected.narrow(1, number * shape_.channels, shape_.channels)
        .to(taps_.scalar_type())
        .contiguous();
  }

  Operations operations_;
  AdaptedLinear in_, out_;
  ConvolutionShape shape_;
  at::Tensor taps_, no_bias_;
};

}  // namespace

std::unique_ptr<Branch> make_short_convolution(const BranchParts& parts) {
  return std::make_unique<ShortConvolutionBranch>(parts);
}

}  // namespace understudy::s5
