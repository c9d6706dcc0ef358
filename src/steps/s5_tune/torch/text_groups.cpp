#include "steps/s5_tune/torch/text_groups.hpp"

#include <algorithm>
#include <numeric>
#include <span>

namespace understudy::s5 {

namespace {

at::Tensor tensor_of(const std::vector<std::int64_t>& values, at::Device device) {
  at::Tensor tensor =
      at::empty({static_cast<std::int64_t>(values.size())}, at::TensorOptions(at::kLong));
  std::ranges::copy(values, tensor.data_ptr<std::int64_t>());
  return tensor.to(device);
}

TextGroup group_of(const std::vector<std::int64_t>& begins, std::span<const std::size_t> texts,
                   std::int64_t length, at::Device device) {
  std::vector<std::int64_t> rows, tokens, places;
  for (const std::size_t text : texts) {
    const std::int64_t end = begins[text + 1];
    for (std::int64_t i = 0; i < length; ++i) {
      const std::int64_t token = begins[text] + i;
      if (token < end) {
        tokens.push_back(token);
        places.push_back(static_cast<std::int64_t>(rows.size()));
      }
      rows.push_back(std::min(token, end - 1));
    }
  }
  return {.texts = static_cast<std::int64_t>(texts.size()),
          .length = length,
          .rows = tensor_of(rows, device),
          .tokens = tensor_of(tokens, device),
          .places = tensor_of(places, device)};
}

}  // namespace

at::Tensor TextGroup::padded(const at::Tensor& of_tokens) const {
  return of_tokens.index_select(0, rows).view({texts, length, of_tokens.size(1)});
}

at::Tensor TextGroup::padded_with_zeros(const at::Tensor& of_tokens) const {
  const std::int64_t columns = of_tokens.size(1);
  return at::zeros({texts * length, columns}, of_tokens.options())
      .index_copy_(0, places, of_tokens.index_select(0, tokens))
      .view({texts, length, columns});
}

void TextGroup::put(const at::Tensor& padded, const at::Tensor& to) const {
  const at::Tensor flat = padded.reshape({texts * length, to.size(1)});
  to.index_copy_(0, tokens, flat.index_select(0, places));
}

std::vector<TextGroup> group_texts(const std::vector<std::int64_t>& begins, at::Device device) {
  const auto length_of = [&](std::size_t text) { return begins[text + 1] - begins[text]; };
  std::vector<std::size_t> texts(begins.size() - 1);
  std::iota(texts.begin(), texts.end(), std::size_t{0});
  std::ranges::stable_sort(texts, std::ranges::greater(), length_of);
  std::vector<TextGroup> groups;
  for (std::size_t first = 0; first < texts.size();) {
    const std::int64_t longest = length_of(texts[first]);
    std::size_t end = first + 1;
    while (end < texts.size() && 2 * length_of(texts[end]) >= longest) ++end;
    const auto some = std::span(texts).subspan(first, end - first);
    groups.push_back(group_of(begins, some, longest, device));
    first = end;
  }
  return groups;
}

}  // namespace understudy::s5
