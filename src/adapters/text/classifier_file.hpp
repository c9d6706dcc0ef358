// The weights of a text classifier's models, three over the same n-grams and one over word vectors,
// and the file that keeps them ("classifier.bin"). Private to adapters/text. Pure; knows neither
// liblinear nor how a text becomes features.
//
// Bytes, little-endian: "USLINEAR", u32 version, u32 hash_bits, u32 word_ngram_max, u32
// char_ngram_min, u32 char_ngram_max, u32 labels, u32 rows; f32 unseen_idf; each label as u32
// length and bytes; f32 bias[labels]; u32 index[rows], rising; f32 idf[rows]; f16
// weights[rows][labels]; from version 2 on f32 count_bias[labels], f16 count_weights[rows][labels],
// u32 width, f16 embedding[rows][width], f32 output[width][labels], f32 output_bias[labels].
// Version 3 says by a u32 whether that part is there (1) or not (0), and goes on: u32 dimensions,
// u32 words; u64 key[words], rising; f32 scale[words], f32 word_weight[words], i8
// code[words][dimensions]; u32 width, f32 hidden[4 * dimensions][width], f32 hidden_bias[width],
// f32 output[width][labels], f32 output_bias[labels]. Last, u64 XXH3 of all bytes before.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/text/bag_network.hpp"
#include "adapters/text/ngram_features.hpp"
#include "adapters/text/vector_network.hpp"
#include "adapters/text/word_vectors.hpp"
#include "base/result.hpp"

namespace understudy::text {

using Half = _Float16;  // 11 bits of precision: enough for weights, half the bytes
inline Half to_half(double weight) {
  return static_cast<Half>(std::clamp(weight, -60000.0, 60000.0));
}

struct ClassifierWeights {
  NgramOptions features;
  float unseen_idf = 1;                // of an n-gram that no text of the training had
  std::vector<std::string> labels;     // sorted, distinct
  std::vector<float> bias;             // one a label
  std::vector<std::uint32_t> indices;  // the features that have weights, rising
  std::vector<float> idf;              // one a row
  std::vector<Half> weights;           // [row][label]
  // The other two models; absent in files of version 1. Naive Bayes: log priors, and log
  // likelihoods less their row's mean.
  std::vector<float> count_bias;
  std::vector<Half> count_weights;  // [row][label]
  BagNetwork network;
  // The fourth model, absent in files before version 3 and where the installation had no word
  // vectors: the vectors of words that the training had and of the commonest others.
  WordVectors words;                // without ranks
  std::vector<float> word_weights;  // one a word: its inverse document frequency
  VectorNetwork vector_network;

  [[nodiscard]] bool has_voters() const { return !count_bias.empty(); }
  [[nodiscard]] bool has_vectors() const { return words.dimensions != 0; }
};

std::string to_bytes(const ClassifierWeights& model);
// corrupt for anything that to_bytes() cannot have written.
Result<ClassifierWeights> parse_classifier_file(std::string_view bytes);

}  // namespace understudy::text
