#include "steps/s5_tune/packing.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <random>

namespace understudy::s5 {

namespace {

constexpr std::size_t open_rows_max = 64;  // looked at for each text

using Texts = std::vector<std::size_t>;

// First fit, in the order of the texts.
class Rows {
 public:
  Rows(std::span<const std::size_t> lengths, std::size_t tokens_max)
      : lengths_(lengths), tokens_max_(tokens_max) {}

  void add(std::size_t text) {
    std::size_t row = rows_.size() > open_rows_max ? rows_.size() - open_rows_max : 0;
    while (row < rows_.size() && used_[row] + lengths_[text] > tokens_max_) ++row;
    if (row == rows_.size()) {
      rows_.emplace_back();
      used_.push_back(0);
    }
    rows_[row].push_back(text);
    used_[row] += lengths_[text];
  }

  // Full rows go to `full`, the texts of the others to `left`.
  void part(std::vector<Texts>& full, Texts& left) const {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (used_[i] >= tokens_max_ / 8 * 7) {
        full.push_back(rows_[i]);
      } else {
        left.insert(left.end(), rows_[i].begin(), rows_[i].end());
      }
    }
  }
  [[nodiscard]] const std::vector<Texts>& all() const { return rows_; }

 private:
  std::span<const std::size_t> lengths_;
  std::size_t tokens_max_;
  std::vector<Texts> rows_;
  std::vector<std::size_t> used_;
};

// The longest first, each to the lane with the fewest tokens; then lane by lane.
void balance(Texts& row, std::span<const std::size_t> lengths, std::size_t lanes) {
  std::ranges::stable_sort(row, std::ranges::greater(),
                           [&](std::size_t text) { return lengths[text]; });
  std::vector<Texts> shares(lanes);
  std::vector<std::size_t> used(lanes, 0);
  for (const std::size_t text : row) {
    const auto lane = static_cast<std::size_t>(std::ranges::min_element(used) - used.begin());
    shares[lane].push_back(text);
    used[lane] += lengths[text];
  }
  row.clear();
  for (const Texts& share : shares) row.insert(row.end(), share.begin(), share.end());
}

}  // namespace

std::vector<Texts> pack_texts(std::span<const std::size_t> lengths, const PackingOptions& options) {
  Texts order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(options.seed);
  std::ranges::shuffle(order, random);
  std::map<int, Rows> buckets;  // by the number of bits of a length
  for (const std::size_t text : order) {
    buckets.try_emplace(std::bit_width(lengths[text]), lengths, options.tokens_max)
        .first->second.add(text);
  }
  std::vector<Texts> rows;
  Texts left;
  for (const auto& [bits, bucket] : buckets) bucket.part(rows, left);
  Rows mixed(lengths, options.tokens_max);
  std::ranges::stable_sort(left, std::ranges::greater(),
                           [&](std::size_t text) { return lengths[text]; });
  for (const std::size_t text : left) mixed.add(text);
  rows.insert(rows.end(), mixed.all().begin(), mixed.all().end());
  std::ranges::shuffle(rows, random);
  if (options.lanes > 1) {
    for (Texts& row : rows) balance(row, lengths, options.lanes);
  }
  return rows;
}

}  // namespace understudy::s5
