#include "adapters/text/bag_network.hpp"

#include <cmath>

#include "adapters/text/bag_rows.hpp"

namespace understudy::text {

std::vector<float> logits_of(const BagNetwork& network, const SparseVector& features) {
  std::vector<float> hidden(network.width, 0);
  for (const Feature& feature : features)
    add_scaled(feature.value, row_of(network.embedding, feature.index, network.width), hidden);
  const float scale = inverse_rms(hidden);
  std::vector<float> logits = network.bias;
  for (std::uint32_t i = 0; i < network.width; ++i) {
    if (hidden[i] > 0)
      add_scaled(hidden[i] * scale, row_of(network.output, i, logits.size()), logits);
  }
  return logits;
}

}  // namespace understudy::text
