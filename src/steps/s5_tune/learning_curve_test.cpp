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
  const auto curve = learning_curve(examples(800, 40), {}).value();
  ASSERT_EQ(curve.size(), 4U);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_EQ(curve[i].asked, 160U);
    EXPECT_EQ(curve[i].examples, 640U >> (3 - i));
    EXPECT_LE(curve[i].agreed, curve[i].asked);
  }
  EXPECT_GE(curve.back().agreed, curve.front().agreed);
  EXPECT_GT(curve.back().agreed, 150U);
}

TEST(LearningCurve, OfOneTextThereIsNothingToHoldOut) {
  std::vector<text::LabelledText> same(400, {.text = "always this", .label = "a"});
  EXPECT_TRUE(learning_curve(same, {}).value().empty());
}

TEST(LearningCurve, TooFewExamplesGiveNoCurve) {
  EXPECT_TRUE(learning_curve(examples(60, 10), {}).value().empty());
  EXPECT_TRUE(learning_curve({}, {}).value().empty());
}

}  // namespace
}  // namespace understudy::s5
