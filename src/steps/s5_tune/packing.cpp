#include "steps/s5_tune/packing.hpp"

#include <algorithm>
#include <numeric>
#include <random>

namespace understudy::s5 {

namespace {

constexpr std::size_t open_rows_max = 64;  // looked at for each text

}  // namespace

std::vector<std::vector<std::size_t>> pack_texts(std::span<const std::size_t> lengths,
                                                 const PackingOptions& options) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(options.seed);
  std::ranges::shuffle(order, random);
  std::vector<std::vector<std::size_t>> rows;
  std::vector<std::size_t> used;
  for (const std::size_t text : order) {
    std::size_t row = rows.size() > open_rows_max ? rows.size() - open_rows_max : 0;
    while (row < rows.size() && used[row] + lengths[text] > options.tokens_max) ++row;
    if (row == rows.size()) {
      rows.emplace_back();
      used.push_back(0);
    }
    rows[row].push_back(text);
    used[row] += lengths[text];
  }
  return rows;
}

}  // namespace understudy::s5
