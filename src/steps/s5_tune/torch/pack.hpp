// A row of tokens in which several texts lie one behind the other, each with positions of its own.
// Made on the CPU; a decoder that computes elsewhere moves it there once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "steps/s5_tune/torch/text_groups.hpp"

namespace understudy::s5 {

// What a teacher thinks of each row: its likeliest tokens, and their probabilities at a
// temperature, which add up to 1. The loss becomes (1 - share) * cross-entropy + share *
// temperature^2 * KL(teacher || model), both at that temperature (arXiv 1503.02531).
struct SoftTargets {
  at::Tensor ids;            // rows x k, int64
  at::Tensor probabilities;  // rows x k, in the type of sums
  double share = 0;
  double temperature = 1;
};

struct Pack {
  at::Tensor tokens;                 // int64
  at::Tensor positions;              // int32, from 0 in each text
  std::vector<std::int64_t> begins;  // of each text, and at last the number of tokens
  at::Tensor rows;                   // int64: the tokens whose successor is to be predicted
  at::Tensor targets;                // int64: those successors
  at::Tensor weights;                // f32: of each row in the loss
  std::optional<SoftTargets> soft = {};
  std::vector<TextGroup> groups = {};  // for composed operations only
};

// Adds a text of which nothing is learned, so that the number of tokens divides by 32. Products are
// prepared for each shape that comes (see products.hpp): that takes longer than to multiply once,
// and half a megabyte, so shapes should be few.
void fill_up(Pack& pack);
// With all tensors there, and groups.
Pack moved_to(const Pack& pack, at::Device device);

}  // namespace understudy::s5
