// A row of tokens in which several texts lie one behind the other, each with positions of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

struct Pack {
  at::Tensor tokens;                 // int64
  at::Tensor positions;              // int32, from 0 in each text
  std::vector<std::int64_t> begins;  // of each text, and at last the number of tokens
  at::Tensor rows;                   // int64: the tokens whose successor is to be predicted
  at::Tensor targets;                // int64: those successors
  at::Tensor weights;                // f32: of each row in the loss
};

}  // namespace understudy::s5
