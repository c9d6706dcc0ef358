// A small network over a text's n-grams: the sum of a learned vector for each, normalised and
// rectified, then one output a label (fastText, Joulin et al., arXiv 1607.01759, with a rectifier).
// Unlike a linear model it can weigh an n-gram by what else is there. Private to adapters/text.
// Pure; deterministic for a seed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adapters/text/ngram_features.hpp"

namespace understudy::text {

inline constexpr std::uint32_t bag_width_max = 256;

struct BagNetwork {
  std::uint32_t width = 0;       // 0: there is none
  std::vector<float> embedding;  // [row][width]
  std::vector<float> output;     // [width][label]
  std::vector<float> bias;       // [label]
};

// Logits, one a label. `features` hold rows for indices.
std::vector<float> logits_of(const BagNetwork& network, const SparseVector& features);

struct BagTrainingSet {
  std::span<const SparseVector> texts;      // rows for indices
  std::span<const std::uint32_t> label_of;  // one a text
  std::size_t rows = 0;
  std::size_t labels = 0;
  std::size_t embedding_values_max = 0;  // what the width is chosen for
};

// By cross-entropy over shuffled batches; half of a text's n-grams and half of the hidden values
// are left out at random each time, so that no answer hangs on a single word.
BagNetwork train_bag_network(const BagTrainingSet& set, std::uint64_t seed);

}  // namespace understudy::text
