// How a decoder computes: in which type, on which device, and by which form of what is no matrix
// product. A value; converts from a type, which then means the CPU.
#pragma once

#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

// Loops over rows in the CPU's memory, or compositions of ATen's operators, which run on any device
// and on the CPU too, where tests hold the two against each other.
enum class OperationForm { row_kernels, composed };

struct Computing {
  at::ScalarType type = at::kFloat;
  at::Device device = at::kCPU;
  OperationForm form = OperationForm::row_kernels;

  Computing(at::ScalarType of) : type(of) {}  // implicit: f32 on the CPU is at::kFloat
  Computing(at::ScalarType of, at::Device on)
      : type(of),
        device(on),
        form(on.is_cpu() ? OperationForm::row_kernels : OperationForm::composed) {}
  Computing(at::ScalarType of, OperationForm by) : type(of), form(by) {}

  [[nodiscard]] bool composed() const { return form == OperationForm::composed; }
  [[nodiscard]] at::TensorOptions options() const { return options_of(type); }
  [[nodiscard]] at::TensorOptions sums() const { return options_of(sum_type(type)); }
  // Of another type on the same device.
  [[nodiscard]] at::TensorOptions options_of(at::ScalarType other) const {
    return at::TensorOptions(other).device(device);
  }
};

}  // namespace understudy::s5
