// Vectors of words that somebody else learned from much text (GloVe, Pennington et al., EMNLP
// 2014): they tell that "plane" is near "flight" where no call of a task shows both. 8 bits a
// value. Words are known by their hash alone, so that a classifier which keeps the vectors of the
// words it has learned from shows no more of its calls than its hashed n-grams do.
//
// The file of an installation (share/understudy/word_vectors.bin, made by tools/word_vectors.py),
// little-endian: "USVECTOR", u32 version, u32 dimensions, u32 words; u64 key[words], rising; u32
// rank[words], 0 the commonest; f32 scale[words]; i8 code[words][dimensions]; u64 XXH3 of all
// before. Values only; thread-safe to read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::text {

inline constexpr std::uint32_t word_dimensions_max = 1024;
inline constexpr std::size_t word_vectors_bytes_max = std::size_t{256} << 20U;
inline constexpr std::string_view word_vectors_file = "word_vectors.bin";

struct WordVectors {
  std::uint32_t dimensions = 0;      // 0: there are none
  std::vector<std::uint64_t> keys;   // rising
  std::vector<std::uint32_t> ranks;  // how common a word is, 0 the commonest
  std::vector<float> scales;         // value = scale * code
  std::vector<std::int8_t> codes;    // [word][dimension]

  [[nodiscard]] std::optional<std::size_t> find(std::uint64_t key) const;
  // Those at `places`, which rise.
  [[nodiscard]] WordVectors only(std::span<const std::size_t> places) const;
};

std::uint64_t word_key(std::u16string_view word);  // of its UTF-8, by XXH3

// corrupt for anything that tools/word_vectors.py cannot have written.
Result<WordVectors> parse_word_vectors(std::string_view bytes);
// Of this installation; none where it has no such file. corrupt names the file.
Result<WordVectors> installed_word_vectors();

// A text as 4 * dimensions values: the mean of its words' vectors, each by its weight; the largest
// and the smallest of each value; the mean of the first three. Words without a vector are left out.
std::vector<float> pooled(const WordVectors& vectors, std::span<const float> weights,
                          std::string_view text);
// Where the text's words stand in `vectors`, in the text's order.
std::vector<std::size_t> places_of(const WordVectors& vectors, std::string_view text);

}  // namespace understudy::text
