// at::Tensor and the few operators that the decoder is built of, each by its own header: a third of
// the compile time of ATen/Functions.h. Also gets around ATen's CHECK macro, which is not ours.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#undef CHECK
#include "base/check.hpp"

namespace understudy::s5 {

// Calls the function with a value of the tensor's own type: float, double or c10::BFloat16.
template <class Function>
void with_value_of(at::ScalarType type, Function&& function) {
  switch (type) {
    case at::kFloat: return function(float{});
    case at::kDouble: return function(double{});
    case at::kBFloat16: return function(c10::BFloat16{});
    default: CHECK(false, "the decoder computes in f32, f64 or bf16");
  }
}

// The type in which rows of `type` are summed.
inline at::ScalarType sum_type(at::ScalarType type) {
  return type == at::kDouble ? at::kDouble : at::kFloat;
}

}  // namespace understudy::s5
