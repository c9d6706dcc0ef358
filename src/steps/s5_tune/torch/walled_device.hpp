// For tests only: a device that is not the CPU, without one. libtorch takes it for a real one
// (PrivateUse1). Its memory is mapped twice: tensors point to pages that nothing may touch, so that
// a row kernel on them dies, and its operators run on the CPU through the other mapping. An
// operator that gets a CPU tensor among the device's is an error, as it is with CUDA. One thread at
// a time.
#pragma once

#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

inline constexpr const char* walled_device_name = "walled";
// Registers it with libtorch when it is first called.
at::Device walled_device();

}  // namespace understudy::s5
