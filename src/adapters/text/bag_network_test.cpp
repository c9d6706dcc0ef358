#include "adapters/text/bag_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace understudy::text {
namespace {

// Two of four words each; the label says whether they are of one pair: no sum of words tells it.
struct Parity {
  std::vector<SparseVector> texts;
  std::vector<std::uint32_t> labels;

  explicit Parity(std::size_t count) {
    std::mt19937 random(7);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t left = random() % 2;
      const std::uint32_t right = random() % 2;
      SparseVector text;
      // Every word in many spellings, because half of them are hidden in training.
      for (std::uint32_t spelling = 0; spelling < 8; ++spelling) {
        text.push_back({.index = left * 8 + spelling, .value = 0.25F});
        text.push_back({.index = 16 + right * 8 + spelling, .value = 0.25F});
      }
      texts.push_back(std::move(text));
      labels.push_back(left ^ right);
    }
  }
  [[nodiscard]] BagTrainingSet set() const {
    return {
        .texts = texts, .label_of = labels, .rows = 32, .labels = 2, .embedding_values_max = 1024};
  }
};

TEST(BagNetwork, LearnsWhatNoLinearModelCan) {
  const Parity parity(400);
  const BagNetwork network = train_bag_network(parity.set(), 1);
  int right = 0;
  for (std::size_t i = 0; i < parity.texts.size(); ++i) {
    const std::vector<float> logits = logits_of(network, parity.texts[i]);
    right += (logits[1] > logits[0]) == (parity.labels[i] == 1) ? 1 : 0;
  }
  EXPECT_EQ(right, 400);
}

TEST(BagNetwork, IsTheSameForASeedAndAnotherForAnother) {
  const Parity parity(64);
  const BagNetwork one = train_bag_network(parity.set(), 1);
  const BagNetwork again = train_bag_network(parity.set(), 1);
  const BagNetwork other = train_bag_network(parity.set(), 2);
  EXPECT_EQ(one.embedding, again.embedding);
  EXPECT_EQ(one.output, again.output);
  EXPECT_NE(one.embedding, other.embedding);
}

TEST(BagNetwork, OfAnEmptyTextOnlyTheBiasSpeaks) {
  const BagNetwork network = train_bag_network(Parity(64).set(), 1);
  EXPECT_EQ(logits_of(network, {}), network.bias);
}

}  // namespace
}  // namespace understudy::text
