// A norm in front of (or behind) a layer's branch, forward and backward: x / rms(x) * gain, or
// LayerNorm with a bias. Adds to the gradients of gain and bias where they are trained.
#pragma once

#include <string>

#include "steps/s5_tune/torch/base_weights.hpp"
#include "steps/s5_tune/torch/operations.hpp"
#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

enum class NormKind { root_mean_square, layer };

class Norm {
 public:
  struct Options {
    NormKind kind = NormKind::root_mean_square;
    double epsilon = 1e-5;
  };
  struct Pass {
    at::Tensor scale, mean;  // of each row
  };

  Norm() = default;
  // `name` without ".weight" and ".bias".
  Norm(const BaseWeights& weights, const std::string& name, const Options& options);

  [[nodiscard]] bool defined() const { return gain_.defined(); }
  // Rows of the gain's width.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, Pass& pass) const;
  // The gradient of x, plus `carried` where it is defined.
  [[nodiscard]] at::Tensor backward(const at::Tensor& dout, const at::Tensor& x, const Pass& pass,
                                    const at::Tensor& carried) const;

 private:
  void add_gain_gradient(const at::Tensor& dout, const at::Tensor& x, const Pass& pass) const;

  Options options_;
  Operations operations_;
  at::Tensor gain_, bias_;                    // in the type of sums
  at::Tensor gain_gradient_, bias_gradient_;  // undefined: frozen
};

}  // namespace understudy::s5
