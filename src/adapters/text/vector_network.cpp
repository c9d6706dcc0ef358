#include "adapters/text/vector_network.hpp"

#include "adapters/text/bag_rows.hpp"

namespace understudy::text {

std::vector<float> logits_of(const VectorNetwork& network, std::span<const float> inputs) {
  std::vector<float> hidden = network.hidden_bias;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    add_scaled(inputs[i], row_of(network.hidden, i, network.width), hidden);
  std::vector<float> logits = network.bias;
  for (std::uint32_t i = 0; i < network.width; ++i) {
    if (hidden[i] > 0) add_scaled(hidden[i], row_of(network.output, i, logits.size()), logits);
  }
  return logits;
}

}  // namespace understudy::text
