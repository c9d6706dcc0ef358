// One linear layer of the base with its adapter, forward and backward by hand: the frozen weight
// takes part in both, but only the adapter gets a gradient; in full fine-tuning the weight does.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "steps/s5_tune/torch/adapter.hpp"
#include "steps/s5_tune/torch/base_weights.hpp"
#include "steps/s5_tune/torch/operations.hpp"
#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

class AdaptedLinear {
 public:
  // What the backward pass needs beside the layer's input.
  struct Pass {
    at::Tensor low = {};             // A x; what is defined already is not computed again
    at::Tensor unscaled = {};        // DoRA only: W x + scale * B (A x)
    at::Tensor lengths = {};         // DoRA only: of the rows of W + scale * B A
    std::uint64_t dropout_seed = 0;  // 0: nothing was dropped
  };

  // All must outlive this; `adapter` may be null.
  AdaptedLinear(BaseWeights& weights, const std::string& name, const Adapter* adapter,
                const AdapterModule* module);

  [[nodiscard]] at::Tensor forward(const at::Tensor& x, Pass& pass) const;  // N x rows
  // dx += ..., or dx = ... where it is undefined; adds to the adapter's gradients.
  void backward(const at::Tensor& dy, const at::Tensor& x, const Pass& pass, at::Tensor& dx) const;
  // The same in two parts, for an x that is computed again between them. The first gives the
  // gradient of A x, which the second wants (undefined without an adapter).
  [[nodiscard]] at::Tensor backward_to_input(const at::Tensor& dy, const Pass& pass,
                                             at::Tensor& dx) const;
  void backward_to_weights(const at::Tensor& dy, const at::Tensor& x, const Pass& pass,
                           const at::Tensor& dlow) const;
  // Of the rows of W + scale * B A, in the type of sums: what DoRA's magnitudes begin with.
  [[nodiscard]] at::Tensor row_lengths() const;

 private:
  friend class AdaptedInputs;

  void add_weight_gradients(const at::Tensor& dy, const at::Tensor& x) const;
  // Gives the gradient of W x + scale * B (A x); DoRA's magnitudes get theirs.
  [[nodiscard]] at::Tensor back_through_magnitude(const at::Tensor& dy, const Pass& pass) const;
  void back_through_weight(const at::Tensor& dproduct, at::Tensor& dx) const;
  // Adds to B's gradient and fills that of A x.
  void back_through_high(const at::Tensor& dproduct, const Pass& pass,
                         const at::Tensor& dlow) const;
  [[nodiscard]] at::Tensor dropped(const at::Tensor& x, std::uint64_t seed) const;

  BaseWeights& weights_;
  Operations operations_;
  const lm::StoredTensor* weight_;
  const PackedMatrices::Matrix* packed_ = nullptr;
  at::Tensor bias_;                             // may be undefined
  at::Tensor weight_gradient_, bias_gradient_;  // undefined: frozen
  const Adapter* adapter_;
  const AdapterModule* module_;
};

// Linear layers that read the same rows. Where each has an adapter and nothing is dropped, all of
// their A are applied in one product, forward and backward: a third of the passes over the rows.
class AdaptedInputs {
 public:
  explicit AdaptedInputs(std::vector<AdaptedLinear> linears);

  // What each gives.
  [[nodiscard]] std::vector<at::Tensor> forward(const at::Tensor& x,
                                                std::span<AdaptedLinear::Pass> passes) const;
  void backward(const std::vector<at::Tensor>& dys, const at::Tensor& x,
                std::span<const AdaptedLinear::Pass> passes, at::Tensor& dx) const;

 private:
  [[nodiscard]] bool together(std::span<const AdaptedLinear::Pass> passes) const {
    return lows_.defined() && passes.front().dropout_seed == 0;
  }

  std::vector<AdaptedLinear> linears_;
  at::Tensor lows_, gradient_as_;  // all A, and their gradients; undefined: each by itself
};

}  // namespace understudy::s5
