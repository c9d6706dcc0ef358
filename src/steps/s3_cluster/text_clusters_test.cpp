#include "steps/s3_cluster/text_clusters.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "steps/s3_cluster/agreement.hpp"

namespace understudy::s3 {
namespace {

// Eight topics of twelve words each, said in sentences with words that all topics have.
struct Topics {
  std::vector<std::string> texts;
  std::vector<std::uint32_t> topics;
  std::vector<TextItem> items;

  explicit Topics(std::size_t count) {
    std::mt19937 random(3);
    const auto word = [&](std::size_t topic, std::size_t number) {
      std::string text;
      for (std::size_t seed = 1 + topic * 12 + number; seed > 0; seed /= 3)
        text += std::string{"bdg"[seed % 3], "aei"[seed % 3]};
      return text + static_cast<char>('k' + topic);
    };
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t topic = i % 8;
      std::string text = "please can you";
      for (int words = 0; words < 6; ++words) text += " " + word(topic, random() % 12);
      texts.push_back(text + " now");
      topics.push_back(static_cast<std::uint32_t>(topic));
    }
    for (std::size_t i = 0; i < texts.size(); ++i)
      items.push_back({.text = texts[i], .session = static_cast<std::uint32_t>(i)});
  }
};

TEST(TextClusters, FindTopicsWithoutBeingToldHowMany) {
  const Topics topics(400);
  const TextClusters made = cluster_texts(topics.items, {}).value();
  EXPECT_GT(agreement(made.group, topics.topics).nmi, 0.9);
  EXPECT_FALSE(made.sweep.empty());
  EXPECT_EQ(made.coordinates.rows(), 400U);
}

TEST(TextClusters, AreTheSameWhateverTheOrder) {
  const Topics topics(200);
  const TextClusters forward = cluster_texts(topics.items, {}).value();
  std::vector<TextItem> reversed(topics.items.rbegin(), topics.items.rend());
  TextClusters backward = cluster_texts(reversed, {}).value();
  std::ranges::reverse(backward.group);
  EXPECT_DOUBLE_EQ(agreement(forward.group, backward.group).nmi, 1);
}

TEST(TextClusters, HaveNoGroupBelowTheMinima) {
  Topics topics(200);
  topics.items.push_back({.text = "zyx wvu", .session = 900});
  const TextClusters made = cluster_texts(topics.items, {}).value();
  std::map<std::uint32_t, std::size_t> sizes;
  for (const std::uint32_t group : made.group) ++sizes[group];
  for (const auto& [group, size] : sizes) EXPECT_GE(size, 5U);
}

TEST(TextClusters, OfNothingOrEmptyOrEqualTextsAreThere) {
  EXPECT_TRUE(cluster_texts({}, {}).value().group.empty());
  std::vector<TextItem> empty(10);
  for (std::uint32_t i = 0; i < 10; ++i) empty[i].session = i;
  EXPECT_EQ(cluster_texts(empty, {}).value().group.size(), 10U);
  std::vector<TextItem> one{{.text = "alone", .session = 1}};
  EXPECT_EQ(cluster_texts(one, {}).value().group, std::vector<std::uint32_t>{0});
}

}  // namespace
}  // namespace understudy::s3
