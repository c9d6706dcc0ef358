// AdamW's 8-bit averages off the CPU: the codes of optimiser.hpp, encoded and decoded by ATen's
// operators. Rows are blocks of values under one largest.
#pragma once

#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5::composed {

struct CodedBlocks {
  at::Tensor codes;    // blocks x values, uint8
  at::Tensor largest;  // blocks x 1, f32
};

at::Tensor decode_signed(const CodedBlocks& blocks);
at::Tensor decode_positive(const CodedBlocks& blocks);
// In place.
void encode_signed(const at::Tensor& values, const CodedBlocks& blocks);
void encode_positive(const at::Tensor& values, const CodedBlocks& blocks);

}  // namespace understudy::s5::composed
