#include "adapters/text/word_vectors.hpp"

#include <unicode/unistr.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <system_error>

#include "adapters/text/bytes_reader.hpp"
#include "adapters/text/ngram_features.hpp"
#include "base/files.hpp"
#include "base/installation.hpp"
#include "base/limits.hpp"

namespace understudy::text {

namespace {

constexpr std::string_view magic = "USVECTOR";
constexpr std::uint32_t format_version = 1;
constexpr std::size_t opening_words = 3;  // what is asked often stands in front

std::unexpected<Error> corrupt(std::string_view why) {
  return fail(ErrorCode::corrupt, "the file of word vectors is damaged: " + std::string(why),
              "install Understudy again, or remove the file to do without");
}

}  // namespace

std::optional<std::size_t> WordVectors::find(std::uint64_t key) const {
  const auto found = std::ranges::lower_bound(keys, key);
  if (found == keys.end() || *found != key) return std::nullopt;
  return static_cast<std::size_t>(found - keys.begin());
}

WordVectors WordVectors::only(std::span<const std::size_t> places) const {
  WordVectors some{.dimensions = dimensions, .keys = {}, .ranks = {}, .scales = {}, .codes = {}};
  some.codes.reserve(places.size() * dimensions);
  for (const std::size_t place : places) {
    some.keys.push_back(keys[place]);
    some.ranks.push_back(ranks[place]);
    some.scales.push_back(scales[place]);
    const auto begin = codes.begin() + static_cast<std::ptrdiff_t>(place * dimensions);
    some.codes.insert(some.codes.end(), begin, begin + dimensions);
  }
  return some;
}

std::uint64_t word_key(std::u16string_view word) {
  std::string utf8;
  icu::UnicodeString(word.data(), static_cast<std::int32_t>(word.size())).toUTF8String(utf8);
  return XXH3_64bits(utf8.data(), utf8.size());
}

Result<WordVectors> parse_word_vectors(std::string_view bytes) {
  const auto body = body_of(bytes, magic);
  if (!body) return corrupt(body.error());
  BytesReader reader(*body);
  WordVectors vectors;
  std::uint32_t version = 0;
  std::uint32_t words = 0;
  if (!reader.read(version) || version != format_version)
    return corrupt("its version is not " + std::to_string(format_version));
  if (!reader.read(vectors.dimensions) || vectors.dimensions == 0 ||
      vectors.dimensions > word_dimensions_max || !reader.read(words)) {
    return corrupt("its header");
  }
  if (!reader.read(vectors.keys, words) || !reader.read(vectors.ranks, words) ||
      !reader.read(vectors.scales, words) ||
      !reader.read(vectors.codes, std::size_t{words} * vectors.dimensions) || !reader.empty()) {
    return corrupt("its size does not fit its header");
  }
  if (std::ranges::adjacent_find(vectors.keys, std::greater_equal<>()) != vectors.keys.end())
    return corrupt("its keys are not sorted");
  if (!std::ranges::all_of(vectors.scales, [](float scale) { return std::isfinite(scale); }))
    return corrupt("a scale is not finite");
  return vectors;
}

Result<WordVectors> installed_word_vectors() {
  const std::filesystem::path path = installed_data(word_vectors_file);
  std::error_code ignored;
  const auto size = std::filesystem::file_size(path, ignored);
  if (ignored || size == 0) return WordVectors{};
  if (size > word_vectors_bytes_max) return corrupt(path.string() + " is too large");
  auto vectors = parse_word_vectors(TRY(read_file(path)));
  if (!vectors) return fail(vectors.error().within(path.string()));
  return vectors;
}

std::vector<std::size_t> places_of(const WordVectors& vectors, std::string_view text) {
  std::vector<std::size_t> places;
  for (const std::u16string& word : words_of(text.substr(0, limits::prompt_bytes_featured_max))) {
    if (const auto place = vectors.find(word_key(word))) places.push_back(*place);
  }
  return places;
}

std::vector<float> pooled(const WordVectors& vectors, std::span<const float> weights,
                          std::string_view text) {
  const std::size_t width = vectors.dimensions;
  const std::vector<std::size_t> places = places_of(vectors, text);
  std::vector<float> all(4 * width, 0);
  if (places.empty()) return all;
  const std::span<float> mean = std::span(all).first(width);
  const std::span<float> most = std::span(all).subspan(width, width);
  const std::span<float> least = std::span(all).subspan(2 * width, width);
  const std::span<float> opening = std::span(all).subspan(3 * width, width);
  std::ranges::fill(most, std::numeric_limits<float>::lowest());
  std::ranges::fill(least, std::numeric_limits<float>::max());
  float weight_sum = 0;
  const std::size_t opening_count = std::min(places.size(), opening_words);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::size_t place = places[i];
    const float weight = weights[place];
    weight_sum += weight;
    const std::int8_t* code = &vectors.codes[place * width];
    for (std::size_t d = 0; d < width; ++d) {
      const float value = vectors.scales[place] * static_cast<float>(code[d]);
      mean[d] += weight * value;
      most[d] = std::max(most[d], value);
      least[d] = std::min(least[d], value);
      if (i < opening_count) opening[d] += value / static_cast<float>(opening_count);
    }
  }
  for (float& value : mean) value /= weight_sum;
  return all;
}

}  // namespace understudy::text
