#include "adapters/text/ngram_features.hpp"

#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/limits.hpp"

namespace understudy::text {

namespace {

// Characters here are UTF-16 code units, as ICU has them; a pair of surrogates counts as two.
std::uint32_t hashed(std::u16string_view gram, std::uint64_t seed, std::uint32_t bits) {
  const std::uint64_t hash =
      XXH3_64bits_withSeed(gram.data(), gram.size() * sizeof(char16_t), seed);
  return static_cast<std::uint32_t>(hash >> (64U - bits));
}

class Counter {
 public:
  explicit Counter(const NgramOptions& options) : options_(options) {}

  void add_word(std::u16string_view word) {
    count_characters(u" " + std::u16string(word) + u" ");
    count_words(word);
  }

  SparseVector finish() {
    std::ranges::sort(hits_);
    SparseVector vector;
    for (std::size_t i = 0; i < hits_.size();) {
      std::size_t end = i;
      while (end < hits_.size() && hits_[end] == hits_[i]) ++end;
      vector.push_back({.index = hits_[i], .value = 1.0F + std::log(static_cast<float>(end - i))});
      i = end;
    }
    return vector;
  }

 private:
  void count_characters(std::u16string_view padded) {
    const std::uint32_t offset = 1U << options_.hash_bits;
    for (std::size_t length = options_.char_ngram_min; length <= options_.char_ngram_max;
         ++length) {
      for (std::size_t i = 0; i + length <= padded.size(); ++i) {
        hits_.push_back(offset + hashed(padded.substr(i, length), 2, options_.hash_bits));
      }
    }
  }

  void count_words(std::u16string_view word) {
    recent_.emplace_back(word);
    if (recent_.size() > options_.word_ngram_max) recent_.erase(recent_.begin());
    std::u16string gram;
    for (std::size_t i = recent_.size(); i-- > 0;) {  // the n-grams that end in this word
      gram = gram.empty() ? recent_[i] : recent_[i] + u" " + gram;
      hits_.push_back(hashed(gram, 1, options_.hash_bits));
    }
  }

  NgramOptions options_;
  std::vector<std::u16string> recent_;
  std::vector<std::uint32_t> hits_;
};

}  // namespace

std::vector<std::u16string> words_of(std::string_view text) {
  const auto lower =
      icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())}).toLower();
  const std::u16string_view units(lower.getBuffer(), static_cast<std::size_t>(lower.length()));
  std::vector<std::u16string> words;
  std::size_t word = 0;  // where the word began that `i` is behind or in
  for (std::size_t i = 0; i <= units.size(); ++i) {
    const bool in_word =
        i < units.size() && (u_isalnum(units[i]) != 0 || U16_IS_SURROGATE(units[i]));
    if (in_word) continue;
    if (i > word) words.emplace_back(units.substr(word, i - word));
    // Punctuation is a word of its own: "?" and "{" carry meaning.
    if (i < units.size() && u_isspace(units[i]) == 0) words.emplace_back(units.substr(i, 1));
    word = i + 1;
  }
  return words;
}

SparseVector ngram_counts(std::string_view text, const NgramOptions& options) {
  Counter counter(options);
  for (const std::u16string& word : words_of(text)) counter.add_word(word);
  return counter.finish();
}

TfIdf TfIdf::fit(const std::vector<SparseVector>& documents, std::uint32_t dimensions) {
  std::vector<float> frequencies(dimensions, 0);
  for (const SparseVector& document : documents) {
    for (const Feature& feature : document) frequencies[feature.index] += 1;
  }
  const auto count = static_cast<float>(documents.size());
  for (float& value : frequencies) value = std::log((1 + count) / (1 + value)) + 1;
  return TfIdf(std::move(frequencies));
}

SparseVector TfIdf::apply(SparseVector counts) const {
  float norm = 0;
  for (Feature& feature : counts) {
    feature.value *= idf_[feature.index];
    norm += feature.value * feature.value;
  }
  if (norm > 0) {
    for (Feature& feature : counts) feature.value /= std::sqrt(norm);
  }
  return counts;
}

SparseVector featured_counts(std::string_view text, const NgramOptions& options) {
  return ngram_counts(text.substr(0, limits::prompt_bytes_featured_max), options);
}

}  // namespace understudy::text
