#include "steps/s5_tune/torch/norm.hpp"

#include <ATen/ops/native_layer_norm.h>
#include <ATen/ops/native_layer_norm_backward.h>

namespace understudy::s5 {

namespace {

std::string gain_name(const BaseWeights& weights, const std::string& name) {
  return weights.file().find(name) != nullptr ? name : name + ".weight";
}

}  // namespace

Norm::Norm(const BaseWeights& weights, const std::string& name, const Options& options)
    : options_(options),
      operations_(weights.computing()),
      gain_(weights.vector(gain_name(weights, name))),
      bias_(weights.vector(name + ".bias")),
      gain_gradient_(weights.gradient(gain_name(weights, name))),
      bias_gradient_(weights.gradient(name + ".bias")) {}

at::Tensor Norm::forward(const at::Tensor& x, Pass& pass) const {
  const std::int64_t width = gain_.numel();
  if (options_.kind == NormKind::layer) {
    const at::Tensor wide = x.to(gain_.scalar_type());
    auto [out, mean, scale] = at::native_layer_norm(wide, {width}, gain_, bias_, options_.epsilon);
    pass = {.scale = std::move(scale), .mean = std::move(mean)};
    return out.to(x.scalar_type());
  }
  Normed normed = operations_.norm(x, gain_, options_.epsilon);
  pass.scale = std::move(normed.scale);
  return normed.out;
}

void Norm::add_gain_gradient(const at::Tensor& dout, const at::Tensor& x, const Pass& pass) const {
  const std::int64_t width = gain_.numel();
  const auto type = gain_.scalar_type();
  gain_gradient_.view({width}).add_(dout.reshape({-1, width})
                                        .to(type)
                                        .mul(x.reshape({-1, width}).to(type))
                                        .mul_(pass.scale.view({-1, 1}))
                                        .sum(0));
}

at::Tensor Norm::backward(const at::Tensor& dout, const at::Tensor& x, const Pass& pass,
                          const at::Tensor& carried) const {
  const std::int64_t width = gain_.numel();
  if (options_.kind == NormKind::layer) {
    const auto type = gain_.scalar_type();
    auto [dx, dgain, dbias] = at::native_layer_norm_backward(
        dout.to(type), x.to(type), {width}, pass.mean, pass.scale, gain_, bias_,
        {true, gain_gradient_.defined(), bias_gradient_.defined()});
    if (gain_gradient_.defined()) gain_gradient_.view({width}).add_(dgain);
    if (bias_gradient_.defined()) bias_gradient_.view({width}).add_(dbias);
    if (carried.defined()) dx.add_(carried);
    return dx.to(x.scalar_type());
  }
  if (gain_gradient_.defined()) add_gain_gradient(dout, x, pass);
  return operations_.norm_backward(
      {.dout = dout, .x = x, .gain = gain_, .scale = pass.scale, .carried = carried});
}

}  // namespace understudy::s5
