#include "steps/s5_tune/torch/adapted_linear.hpp"

#include <ATen/ops/as_strided.h>
#include <ATen/ops/chunk.h>

#include <utility>

namespace understudy::s5 {

AdaptedLinear::AdaptedLinear(BaseWeights& weights, const std::string& name, const Adapter* adapter,
                             const AdapterModule* module)
    : weights_(weights),
      operations_(weights.computing()),
      weight_(weights.file().find(name + ".weight")),
      bias_(weights.vector(name + ".bias")),
      weight_gradient_(weights.gradient(name + ".weight")),
      bias_gradient_(weights.gradient(name + ".bias")),
      adapter_(adapter),
      module_(module) {
  CHECK(weight_ != nullptr, "the plan's tensors were checked");
  packed_ = weights_.packed(*weight_);
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
  if (weight_gradient_.defined()) put_product(weight_gradient_, dy.t(), x, {.added = true});
  if (bias_gradient_.defined()) {
    bias_gradient_.view({dy.size(1)}).add_(dy.to(bias_gradient_.scalar_type()).sum(0));
  }
}

at::Tensor AdaptedLinear::dropped(const at::Tensor& x, std::uint64_t seed) const {
  if (seed == 0) return x;
  return operations_.drop(x, {.seed = seed, .keep = 1 - adapter_->options().dropout});
}

at::Tensor AdaptedLinear::forward(const at::Tensor& x, Pass& pass) const {
  at::Tensor y =
      packed_ != nullptr ? product(x, packed_->forward) : product(x, weights_.matrix(*weight_).t());
  if (module_ != nullptr) {
    if (!pass.low.defined()) {
      pass.low = product(dropped(x, pass.dropout_seed), module_->low.t());
    }
    put_product(y, pass.low, module_->high.t(), {.scale = adapter_->scale(), .added = true});
    if (module_->magnitude.defined()) {
      pass.unscaled = y;
      pass.lengths = row_lengths();
      y = y.mul(module_->magnitude.div(pass.lengths).to(y.scalar_type()));
    }
  }
  if (bias_.defined()) y.add_(bias_);
  return y;
}

at::Tensor AdaptedLinear::back_through_magnitude(const at::Tensor& dy, const Pass& pass) const {
  if (!pass.unscaled.defined()) return dy;
  const auto type = module_->magnitude.scalar_type();
  module_->gradient_magnitude.add_(
      dy.to(type).mul(pass.unscaled.to(type)).sum(0).div_(pass.lengths));
  return dy.mul(module_->magnitude.div(pass.lengths).to(dy.scalar_type()));
}

void AdaptedLinear::back_through_weight(const at::Tensor& dproduct, at::Tensor& dx) const {
  const ProductOptions options{.added = dx.defined()};
  if (!dx.defined()) dx = at::empty({dproduct.size(0), weight_->columns}, dproduct.options());
  if (packed_ != nullptr) {
    put_product(dx, dproduct, packed_->back, options);
  } else {
    put_product(dx, dproduct, weights_.matrix(*weight_), options);
  }
}

void AdaptedLinear::back_through_high(const at::Tensor& dproduct, const Pass& pass,
                                      const at::Tensor& dlow) const {
  const double scale = adapter_->scale();
  put_product(module_->gradient_b, dproduct.t(), pass.low, {.scale = scale, .added = true});
  put_product(dlow, dproduct, module_->high, {.scale = scale});
}

at::Tensor AdaptedLinear::backward_to_input(const at::Tensor& dy, const Pass& pass,
                                            at::Tensor& dx) const {
  const at::Tensor dproduct = back_through_magnitude(dy, pass);
  back_through_weight(dproduct, dx);
  if (module_ == nullptr) return {};
  at::Tensor dlow = at::empty({dy.size(0), module_->low.size(0)}, dy.options());
  back_through_high(dproduct, pass, dlow);
  if (pass.dropout_seed == 0) {
    put_product(dx, dlow, module_->low, {.added = true});
  } else {
    dx.add_(dropped(product(dlow, module_->low), pass.dropout_seed));
  }
  return dlow;
}

void AdaptedLinear::backward_to_weights(const at::Tensor& dy, const at::Tensor& x, const Pass& pass,
                                        const at::Tensor& dlow) const {
  add_weight_gradients(dy, x);
  if (module_ != nullptr)
    put_product(module_->gradient_a, dlow.t(), dropped(x, pass.dropout_seed), {.added = true});
}

void AdaptedLinear::backward(const at::Tensor& dy, const at::Tensor& x, const Pass& pass,
                             at::Tensor& dx) const {
  backward_to_weights(dy, x, pass, backward_to_input(dy, pass, dx));
}

namespace {

// Matrices that lie one behind the other as one; undefined where they do not.
at::Tensor stacked(const std::vector<at::Tensor>& matrices) {
  std::int64_t rows = 0;
  std::int64_t end = matrices.front().storage_offset();
  for (const at::Tensor& matrix : matrices) {
    if (matrix.storage_offset() != end || matrix.size(1) != matrices.front().size(1)) return {};
    rows += matrix.size(0);
    end += matrix.numel();
  }
  const at::Tensor& first = matrices.front();
  return first.as_strided({rows, first.size(1)}, {first.size(1), 1}, first.storage_offset());
}

}  // namespace

AdaptedInputs::AdaptedInputs(std::vector<AdaptedLinear> linears) : linears_(std::move(linears)) {
  std::vector<at::Tensor> lows, gradients;
  for (const AdaptedLinear& linear : linears_) {
    if (linear.module_ == nullptr || linear.module_->magnitude.defined()) return;
    lows.push_back(linear.module_->low);
    gradients.push_back(linear.module_->gradient_a);
  }
  if (linears_.size() < 2) return;
  lows_ = stacked(lows);
  gradient_as_ = stacked(gradients);
}

std::vector<at::Tensor> AdaptedInputs::forward(const at::Tensor& x,
                                               std::span<AdaptedLinear::Pass> passes) const {
  if (together(passes)) {
    const auto lows = product(x, lows_.t()).chunk(static_cast<std::int64_t>(linears_.size()), 1);
    for (std::size_t i = 0; i < linears_.size(); ++i) passes[i].low = lows[i];
  }
  std::vector<at::Tensor> given;
  for (std::size_t i = 0; i < linears_.size(); ++i) {
    given.push_back(linears_[i].forward(x, passes[i]));
  }
  return given;
}

void AdaptedInputs::backward(const std::vector<at::Tensor>& dys, const at::Tensor& x,
                             std::span<const AdaptedLinear::Pass> passes, at::Tensor& dx) const {
  if (!together(passes)) {
    for (std::size_t i = 0; i < linears_.size(); ++i)
      linears_[i].backward(dys[i], x, passes[i], dx);
    return;
  }
  const at::Tensor dlow = at::empty({x.size(0), lows_.size(0)}, x.options());
  const auto dlows = dlow.chunk(static_cast<std::int64_t>(linears_.size()), 1);
  for (std::size_t i = 0; i < linears_.size(); ++i) {
    linears_[i].add_weight_gradients(dys[i], x);
    linears_[i].back_through_weight(dys[i], dx);
    linears_[i].back_through_high(dys[i], passes[i], dlows[i]);
  }
  put_product(gradient_as_, dlow.t(), x, {.added = true});
  put_product(dx, dlow, lows_, {.added = true});
}

}  // namespace understudy::s5
