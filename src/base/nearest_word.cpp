#include "base/nearest_word.hpp"

#include <algorithm>
#include <numeric>

namespace understudy {

namespace {

constexpr std::size_t edited_bytes_max = 64;  // longer words resemble nothing

// Levenshtein's distance, one row at a time.
std::size_t edits_between(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t changed = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string>& words) {
  if (word.size() > edited_bytes_max) return {};
  std::string_view best;
  std::size_t fewest = 2 + word.size() / 3;
  for (const std::string& candidate : words) {
    const bool contains =
        word.size() >= 3 && (candidate.contains(word) || word.contains(candidate));
    const bool same_front = word.substr(0, 4) == std::string_view(candidate).substr(0, 4);
    const std::size_t edits = contains ? 1 : edits_between(word, candidate) / (same_front ? 2 : 1);
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

}  // namespace understudy
