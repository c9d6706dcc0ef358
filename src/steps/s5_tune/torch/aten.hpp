// What we use of ATen, and a way around its CHECK macro, which is not ours: include this first.
#pragma once

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "steps/s5_tune/torch/tensor.hpp"  // gets around the macro
