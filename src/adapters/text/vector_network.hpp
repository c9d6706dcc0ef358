// A small network over a text's pooled word vectors (word_vectors.hpp): one layer with a rectifier,
// one output a label. It knows words that no text of the training had. Private to adapters/text.
// Pure; deterministic for a seed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace understudy::text {

inline constexpr std::uint32_t vector_width_max = 1024;

struct VectorNetwork {
  std::uint32_t width = 0;         // 0: there is none
  std::vector<float> hidden;       // [input][width]
  std::vector<float> hidden_bias;  // [width]
  std::vector<float> output;       // [width][label]
  std::vector<float> bias;         // [label]
};

// Logits, one a label.
std::vector<float> logits_of(const VectorNetwork& network, std::span<const float> inputs);

struct VectorTrainingSet {
  std::span<const std::vector<float>> texts;  // pooled, all of one length
  std::span<const std::uint32_t> label_of;    // one a text
  std::size_t labels = 0;
};

// By cross-entropy over shuffled batches, with a part of the inputs and half of the hidden values
// left out at random each time. At least two texts.
VectorNetwork train_vector_network(const VectorTrainingSet& set, std::uint64_t seed);

}  // namespace understudy::text
