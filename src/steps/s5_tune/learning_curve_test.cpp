#include "steps/s5_tune/learning_curve.hpp"

#include <gtest/gtest.h>

#include <string>

namespace understudy::s5 {
namespace {

// `words` words of each label, of which a text holds two: few examples cannot have shown them all.
std::vector<text::LabelledText> examples(std::size_t count, std::size_t words) {
  std::vector<text::LabelledText> made;
  for (std::size_t i = 0; i < count; ++i) {
    const char label = static_cast<char>('a' + i % 4);
    const auto word = [&](std::size_t number) {
      return std::string(4, label) + std::to_string(number * 7919 % words * 104'729);
    };
    made.push_back({.text = word(i / 4) + " or " + word(i / 3) + " " + std::to_string(i),
                    .label = std::string(1, label)});
  }
  return made;
}

TEST(LearningCurve, AsksEachModelAboutTheSameCallsThatNoneSaw) {
  const auto curve = learning_curve(examples(800, 40), {}).value().points;
  ASSERT_EQ(curve.size(), 4U);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_EQ(curve[i].asked, 160U);
    EXPECT_EQ(curve[i].examples, 640U >> (3 - i));
    EXPECT_LE(curve[i].agreed, curve[i].asked);
  }
  EXPECT_GE(curve.back().agreed, curve.front().agreed);
  EXPECT_GT(curve.back().agreed, 150U);
}

TEST(LearningCurve, TheLastModelIsTheLargestAndToldByConfidence) {
  const auto curve = learning_curve(examples(3'000, 40), {}).value();
  ASSERT_EQ(curve.points.size(), 5U);
  EXPECT_EQ(curve.points[3].examples, 2'000U);
  EXPECT_EQ(curve.points[4].examples, 2'400U);
  std::uint64_t asked = 0;
  std::uint64_t agreed = 0;
  for (const quality::AgreementBin& bin : curve.at_the_end) {
    asked += static_cast<std::uint64_t>(bin.calls);
    agreed += static_cast<std::uint64_t>(bin.agreed);
  }
  EXPECT_EQ(asked, curve.points[4].asked);
  EXPECT_EQ(agreed, curve.points[4].agreed);
}

TEST(LearningCurve, OfOneTextThereIsNothingToHoldOut) {
  std::vector<text::LabelledText> same(400, {.text = "always this", .label = "a"});
  EXPECT_TRUE(learning_curve(same, {}).value().points.empty());
}

TEST(LearningCurve, TooFewExamplesGiveNoCurve) {
  EXPECT_TRUE(learning_curve(examples(60, 10), {}).value().points.empty());
  EXPECT_TRUE(learning_curve({}, {}).value().points.empty());
}

}  // namespace
}  // namespace understudy::s5
