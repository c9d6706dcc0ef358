#include "adapters/text/vector_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace understudy::text {
namespace {

// The label says whether two inputs are on one side: no linear model tells it. The scales differ by
// a thousand, and one input never changes.
struct Sides {
  std::vector<std::vector<float>> texts;
  std::vector<std::uint32_t> labels;

  Sides(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> noise(0, 0.3F);
    for (std::size_t i = 0; i < count; ++i) {
      const bool left = random() % 2 == 0;
      const bool right = random() % 2 == 0;
      std::vector<float> inputs;
      for (int copy = 0; copy < 8; ++copy) {  // many, because a part is left out in training
        inputs.push_back((left ? 1000.0F : -1000.0F) * (1 + noise(random)));
        inputs.push_back(5 + (right ? 1.0F : -1.0F) * (1 + noise(random)));
      }
      inputs.push_back(7);
      texts.push_back(std::move(inputs));
      labels.push_back(left == right ? 1 : 0);
    }
  }
  [[nodiscard]] VectorTrainingSet set() const {
    return {.texts = texts, .label_of = labels, .labels = 2};
  }
};

std::size_t right_of(const VectorNetwork& network, const Sides& sides) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < sides.texts.size(); ++i) {
    const std::vector<float> logits = logits_of(network, sides.texts[i]);
    right += (logits[1] > logits[0] ? 1U : 0U) == sides.labels[i] ? 1U : 0U;
  }
  return right;
}

TEST(VectorNetwork, LearnsWhatNoLinearModelCan) {
  const VectorNetwork network = train_vector_network(Sides(400, 1).set(), 1);
  EXPECT_GE(right_of(network, Sides(200, 2)), 195);
}

TEST(VectorNetwork, EqualSeedsGiveEqualNetworks) {
  const Sides sides(60, 3);
  const VectorNetwork first = train_vector_network(sides.set(), 5);
  const VectorNetwork second = train_vector_network(sides.set(), 5);
  EXPECT_EQ(first.hidden, second.hidden);
  EXPECT_EQ(first.output, second.output);
  EXPECT_NE(first.hidden, train_vector_network(sides.set(), 6).hidden);
}

TEST(VectorNetwork, TwoTextsAreEnoughToTrain) {
  const std::vector<std::vector<float>> texts = {{1, 0}, {0, 0}};
  const std::vector<std::uint32_t> labels = {0, 1};
  const VectorNetwork network =
      train_vector_network({.texts = texts, .label_of = labels, .labels = 2}, 1);
  const std::vector<float> logits = logits_of(network, texts[0]);
  EXPECT_GT(logits[0], logits[1]);
}

}  // namespace
}  // namespace understudy::text
