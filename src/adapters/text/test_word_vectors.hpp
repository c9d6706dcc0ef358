// Word vectors for tests: each word with its values, the first the commonest.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "adapters/text/word_vectors.hpp"

namespace understudy::text {

using TestWords = std::vector<std::pair<std::u16string, std::vector<std::int8_t>>>;

inline WordVectors word_vectors(const TestWords& words, float scale = 0.01F) {
  std::vector<std::pair<std::uint64_t, std::size_t>> sorted;
  for (std::size_t i = 0; i < words.size(); ++i) sorted.emplace_back(word_key(words[i].first), i);
  std::ranges::sort(sorted);
  WordVectors vectors;
  vectors.dimensions = static_cast<std::uint32_t>(words.front().second.size());
  for (const auto& [key, place] : sorted) {
    vectors.keys.push_back(key);
    vectors.ranks.push_back(static_cast<std::uint32_t>(place));
    vectors.scales.push_back(scale);
    vectors.codes.insert(vectors.codes.end(), words[place].second.begin(),
                         words[place].second.end());
  }
  return vectors;
}

}  // namespace understudy::text
