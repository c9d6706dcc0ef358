#include "steps/s5_tune/torch/adapted_linear.hpp"

#include "steps/s5_tune/torch/decoder_kernels.hpp"

namespace understudy::s5 {

AdaptedLinear::AdaptedLinear(BaseWeights& weights, const std::string& name, const Adapter* adapter,
                             const AdapterModule* module)
    : weights_(weights),
      weight_(weights.file().find(name + ".weight")),
      bias_(weights.vector(name + ".bias")),
      adapter_(adapter),
      module_(module) {
  CHECK(weight_ != nullptr, "the plan's tensors were checked");
  if (bias_.defined()) bias_ = bias_.to(weights.type());
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
  if (bias_.defined()) y.add_(bias_);
  if (module_ != nullptr) {
    pass.low = at::mm(dropped(x, pass.dropout_seed), module_->low.t());
    y.addmm_(pass.low, module_->high.t(), 1, adapter_->scale());
  }
  return y;
}

void AdaptedLinear::backward(const at::Tensor& dy, const at::Tensor& x, const Pass& pass,
                             at::Tensor& dx) const {
  const at::Tensor weight = weights_.matrix(*weight_);
  if (dx.defined()) {
    dx.addmm_(dy, weight);
  } else {
    dx = at::mm(dy, weight);
  }
  if (module_ == nullptr) return;
  const at::Tensor dlow = at::mm(dy, module_->high).mul_(adapter_->scale());
  module_->gradient_b.add_(at::mm(dy.t(), pass.low), adapter_->scale());
  module_->gradient_a.add_(at::mm(dlow.t(), dropped(x, pass.dropout_seed)));
  if (pass.dropout_seed == 0) {
    dx.addmm_(dlow, module_->low);
  } else {
    dx.add_(dropped(at::mm(dlow, module_->low), pass.dropout_seed));
  }
}

}  // namespace understudy::s5
