#include "steps/s5_tune/torch/adapted_linear.hpp"

#include "steps/s5_tune/torch/decoder_kernels.hpp"

namespace understudy::s5 {

AdaptedLinear::AdaptedLinear(BaseWeights& weights, const std::string& name, const Adapter* adapter,
                             const AdapterModule* module)
    : weights_(weights),
      weight_(weights.file().find(name + ".weight")),
      bias_(weights.vector(name + ".bias")),
      weight_gradient_(weights.gradient(name + ".weight")),
      bias_gradient_(weights.gradient(name + ".bias")),
      adapter_(adapter),
      module_(module) {
  CHECK(weight_ != nullptr, "the plan's tensors were checked");
  if (bias_.defined() && !bias_gradient_.defined()) bias_ = bias_.to(weights.type());
}

at::Tensor AdaptedLinear::row_lengths() const {
  const at::Tensor weight = weights_.matrix(*weight_).to(sum_type(weights_.type()));
  const double scale = adapter_->scale();
  // |W|^2 + 2 s W.(BA) + s^2 |BA|^2, without the whole of BA.
  const at::Tensor crossed = at::mm(weight, module_->a.t()).mul_(2 * scale);
  crossed.addmm_(module_->b, at::mm(module_->a, module_->a.t()), 1, scale * scale);
  return crossed.mul_(module_->b).sum(1).add_(weight.mul(weight).sum(1)).clamp_min_(0).sqrt_();
}

void AdaptedLinear::add_weight_gradients(const at::Tensor& dy, const at::Tensor& x) const {
  if (weight_gradient_.defined()) {
    if (weight_gradient_.scalar_type() == dy.scalar_type()) {
      weight_gradient_.addmm_(dy.t(), x);
    } else {
      weight_gradient_.add_(at::mm(dy.t(), x));
    }
  }
  if (bias_gradient_.defined()) {
    bias_gradient_.view({dy.size(1)}).add_(dy.to(bias_gradient_.scalar_type()).sum(0));
  }
}

at::Tensor AdaptedLinear::dropped(const at::Tensor& x, std::uint64_t seed) const {
  if (seed == 0) return x;
  at::Tensor out = at::empty_like(x);
  with_value_of(x.scalar_type(), [&]<class Value>(Value) {
    drop_values<Value>(x.numel(), seed, 1 - adapter_->options().dropout, x.const_data_ptr<Value>(),
                       out.data_ptr<Value>());
  });
  return out;
}

at::Tensor AdaptedLinear::forward(const at::Tensor& x, Pass& pass) const {
  at::Tensor y = at::mm(x, weights_.matrix(*weight_).t());
  if (module_ != nullptr) {
    pass.low = at::mm(dropped(x, pass.dropout_seed), module_->low.t());
    y.addmm_(pass.low, module_->high.t(), 1, adapter_->scale());
    if (module_->magnitude.defined()) {
      pass.unscaled = y;
      pass.lengths = row_lengths();
      y = y.mul(module_->magnitude.div(pass.lengths).to(y.scalar_type()));
    }
  }
  if (bias_.defined()) y.add_(bias_);
  return y;
}

void AdaptedLinear::backward(const at::Tensor& dy, const at::Tensor& x, const Pass& pass,
                             at::Tensor& dx) const {
  add_weight_gradients(dy, x);
  at::Tensor dproduct = dy;
  if (pass.unscaled.defined()) {
    const auto type = module_->magnitude.scalar_type();
    module_->gradient_magnitude.add_(
        dy.to(type).mul(pass.unscaled.to(type)).sum(0).div_(pass.lengths));
    dproduct = dy.mul(module_->magnitude.div(pass.lengths).to(dy.scalar_type()));
  }
  const at::Tensor weight = weights_.matrix(*weight_);
  if (dx.defined()) {
    dx.addmm_(dproduct, weight);
  } else {
    dx = at::mm(dproduct, weight);
  }
  if (module_ == nullptr) return;
  const at::Tensor dlow = at::mm(dproduct, module_->high).mul_(adapter_->scale());
  module_->gradient_b.add_(at::mm(dproduct.t(), pass.low), adapter_->scale());
  module_->gradient_a.add_(at::mm(dlow.t(), dropped(x, pass.dropout_seed)));
  if (pass.dropout_seed == 0) {
    dx.addmm_(dlow, module_->low);
  } else {
    dx.add_(dropped(at::mm(dlow, module_->low), pass.dropout_seed));
  }
}

}  // namespace understudy::s5
