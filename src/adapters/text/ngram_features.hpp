// Sparse text features without weights to download: hashed word and character n-grams, sublinear
// TF-IDF, L2-normalised. Used by the classifier and by clustering.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::text {

struct Feature {
  std::uint32_t index = 0;
  float value = 0;
};
using SparseVector = std::vector<Feature>;  // sorted by index, no duplicates

struct NgramOptions {
  std::uint32_t hash_bits =
      18;  // per family: words use [0, 2^bits), characters [2^bits, 2^(bits+1))
  std::uint32_t word_ngram_max = 2;
  std::uint32_t char_ngram_min = 2;  // inside padded words, as scikit-learn's char_wb
  std::uint32_t char_ngram_max = 5;
};

// Raw counts as 1 + ln(count), not yet weighted. Lower-cased, UTF-8 aware.
SparseVector ngram_counts(std::string_view text, const NgramOptions& options);
// Of the text's front, limits::prompt_bytes_featured_max of it: how a classifier reads a text.
SparseVector featured_counts(std::string_view text, const NgramOptions& options);

// The words of a text as the features see them: lower case, punctuation a word of its own.
std::vector<std::u16string> words_of(std::string_view text);

// Inverse document frequencies, ln((1+n)/(1+df)) + 1; fitted once, then applied to any vector.
class TfIdf {
 public:
  static TfIdf fit(const std::vector<SparseVector>& documents, std::uint32_t dimensions);
  explicit TfIdf(std::vector<float> idf) : idf_(std::move(idf)) {}
  [[nodiscard]] SparseVector apply(SparseVector counts) const;  // weighted and L2-normalised
  [[nodiscard]] const std::vector<float>& idf() const { return idf_; }

 private:
  std::vector<float> idf_;
};

}  // namespace understudy::text
