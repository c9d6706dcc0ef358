// One linear layer of the base with its adapter, forward and backward by hand: the frozen weight
// takes part in both, but only the adapter gets a gradient.
#pragma once

#include <cstdint>
#include <string>

#include "steps/s5_tune/torch/adapter.hpp"
#include "steps/s5_tune/torch/base_weights.hpp"
#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

class AdaptedLinear {
 public:
  // What the backward pass needs beside the layer's input.
  struct Pass {
    at::Tensor low;                  // A x
    std::uint64_t dropout_seed = 0;  // 0: nothing was dropped
  };

  // All must outlive this; `adapter` may be null.
  AdaptedLinear(BaseWeights& weights, const std::string& name, const Adapter* adapter,
                const AdapterModule* module);

  [[nodiscard]] at::Tensor forward(const at::Tensor& x, Pass& pass) const;  // N x rows
  // dx += ..., or dx = ... where it is undefined; adds to the adapter's gradients.
  void backward(const at::Tensor& dy, const at::Tensor& x, const Pass& pass, at::Tensor& dx) const;
  [[nodiscard]] bool adapted() const { return module_ != nullptr; }

 private:
  [[nodiscard]] at::Tensor dropped(const at::Tensor& x, std::uint64_t seed) const;

  BaseWeights& weights_;
  const lm::StoredTensor* weight_;
  at::Tensor bias_;  // may be undefined
  const Adapter* adapter_;
  const AdapterModule* module_;
};

}  // namespace understudy::s5
