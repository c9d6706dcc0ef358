// What a run changes: flat buffers of parameters and of their gradients in f32 (f64 to check
// gradients), of which the layers hold views. An adapter, or all weights of a model. One thread.
#pragma once

#include "steps/s5_tune/torch/computing.hpp"

namespace understudy::s5 {

class Trained {
 public:
  virtual ~Trained() = default;

  [[nodiscard]] const at::Tensor& parameters() const { return parameters_; }
  [[nodiscard]] const at::Tensor& gradients() const { return gradients_; }
  [[nodiscard]] OperationForm form() const { return form_; }
  // After every change of the parameters: brings the copies in the computed type up to date.
  virtual void refresh() {
    if (computed_.scalar_type() != parameters_.scalar_type()) computed_.copy_(parameters_);
  }

 protected:
  Trained() = default;
  Trained(const Trained&) = default;
  Trained& operator=(const Trained&) = default;
  Trained(Trained&&) = default;
  Trained& operator=(Trained&&) = default;

  void make_buffers(std::int64_t count, const Computing& computing) {
    form_ = computing.form;
    parameters_ = at::zeros({count}, computing.sums());
    gradients_ = at::zeros_like(parameters_);
    computed_ = parameters_;
    if (computing.type != sum_type(computing.type)) {
      computed_ = at::zeros({count}, computing.options());
    }
  }

  OperationForm form_ = OperationForm::row_kernels;
  at::Tensor parameters_;
  at::Tensor gradients_;
  at::Tensor computed_;
};

}  // namespace understudy::s5
