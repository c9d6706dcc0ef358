// What a call adds to its conversation, as sets of hashes of word 5-grams and 13-grams: the
// messages since the last answer, and the answer. Numbers and ids count as one word. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "records/answer.hpp"

namespace understudy::s2 {

// The text that a chat request carries behind its last answer, and the answer itself.
std::string new_text(const json::value& request, const Answer& answer);

struct Shingles {
  std::vector<std::uint32_t> fives;      // ascending, distinct; a shorter text is one shingle
  std::vector<std::uint32_t> thirteens;  // ascending, distinct; of a shorter text none
  std::uint64_t text_hash = 0;           // of all words

  // Larger texts are represented by the smallest hashes, which is a fair sample.
  static constexpr std::size_t fives_max = 16'384;
};

Shingles shingles_of(std::string_view text);

// For a spill file; corrupt for what no encode() wrote.
std::string encode(const Shingles& shingles);
Result<Shingles> decode_shingles(std::string_view bytes);

// Share of the union that both have.
double jaccard(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b);

}  // namespace understudy::s2
