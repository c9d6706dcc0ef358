// The texts of a packed row of tokens side by side, for operators that take a batch of texts of one
// length: those of about one length are padded at their ends to the longest. What is causal never
// looks at such padding. A group's texts are at least half as long as its longest, so that at most
// half of it is padding, and a pack has few groups: on a device, launches count more than padding.
#pragma once

#include <cstdint>
#include <vector>

#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

struct TextGroup {
  std::int64_t texts = 0;
  std::int64_t length = 0;  // of the longest
  at::Tensor rows = {};     // int64, texts * length: the token at each place; padding repeats one
  at::Tensor tokens = {};   // int64: the group's tokens, and
  at::Tensor places = {};   // int64: where each of them lies in `rows`

  // texts x length x columns.
  [[nodiscard]] at::Tensor padded(const at::Tensor& of_tokens) const;
  // The same with zeros in the padding.
  [[nodiscard]] at::Tensor padded_with_zeros(const at::Tensor& of_tokens) const;
  // The way back: fills the group's rows of `to`, which may be strided.
  void put(const at::Tensor& padded, const at::Tensor& to) const;
};

// `begins`: where each text begins, and at last the number of tokens.
std::vector<TextGroup> group_texts(const std::vector<std::int64_t>& begins, at::Device device);

}  // namespace understudy::s5
