// Blocks of quantised weights as they are stored, expanded on any device by ATen's integer
// operators: what ggml does on the CPU, value for value. For what is no quantised type, see
// ResidentTensors.
#pragma once

#include "adapters/lm/gguf_file.hpp"
#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

// Whether weights of this type lie in blocks; the others are plain numbers.
bool is_in_blocks(lm::StoredAs type);

// rows x columns in f32, of rows x bytes of a row (uint8).
at::Tensor expand_blocks(lm::StoredAs type, const at::Tensor& bytes);

}  // namespace understudy::s5
