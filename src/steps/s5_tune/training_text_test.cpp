#include "steps/s5_tune/training_text.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace understudy::s5 {
namespace {

TEST(TrainingText, ReadsWhatItWrites) {
  std::istringstream input(to_training_line({.prompt = "a \"b\"\n", .answer = "c", .weight = 3}) +
                           "\n" + R"({"prompt":"","answer":"d"})");
  const auto examples = read_training_text(input, "x.jsonl");
  ASSERT_TRUE(examples.has_value()) << examples.error().to_text();
  ASSERT_EQ(examples->size(), 2U);
  EXPECT_EQ((*examples)[0].prompt, "a \"b\"\n");
  EXPECT_EQ((*examples)[0].weight, 3);
  EXPECT_EQ((*examples)[1].weight, 1);
}

TEST(TrainingText, NamesTheBadLine) {
  for (const std::string bad :
       {"{", "[]", R"({"prompt":"x"})", R"({"prompt":"x","answer":""})",
        R"({"prompt":"x","answer":"y","weight":0})", R"({"prompt":1,"answer":"y"})"}) {
    std::istringstream input(R"({"prompt":"x","answer":"y"})" + std::string("\n") + bad);
    const auto examples = read_training_text(input, "x.jsonl");
    ASSERT_FALSE(examples.has_value()) << bad;
    EXPECT_TRUE(examples.error().message.starts_with("x.jsonl:2")) << examples.error().message;
  }
}

}  // namespace
}  // namespace understudy::s5
