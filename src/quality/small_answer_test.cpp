#include "quality/small_answer.hpp"

#include <gtest/gtest.h>

namespace understudy::quality {
namespace {

Prediction says(std::string text, double confidence) {
  return {.answer = {.text = std::move(text), .tool_calls = {}},
          .confidence = confidence,
          .prompt_tokens = 10,
          .completion_tokens = 2,
          .latency_us = 5};
}

// Gives the answers in turn and notes what it was asked.
struct Script {
  std::vector<Prediction> answers;
  std::vector<Question> asked = {};

  Result<Prediction> answer(SelfConsistency manner, AnswerForm form = AnswerForm::label) {
    const std::optional<ConfidenceModel> none;
    return small_answer(
        [this](const Question& question) -> Result<Prediction> {
          asked.push_back(question);
          return answers[asked.size() - 1];
        },
        {"slot"}, {}, {.form = form, .confidence = none, .self_consistency = manner});
  }
};

TEST(SmallAnswer, AsksOnceWithoutDrawing) {
  Script script{{says("a", 0.6)}};
  const auto answer = script.answer({});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->confidence, 0.6);
  ASSERT_EQ(script.asked.size(), 1U);
  EXPECT_EQ(script.asked[0].sampling.temperature, 0);
  EXPECT_EQ(script.asked[0].slots, std::vector<std::string>{"slot"});
}

TEST(SmallAnswer, TheMostVotesWinByTheTasksComparator) {
  Script script{{says("b", 0.9), says("Yes", 0.4), says("yes ", 0.5)}};
  const auto answer = script.answer({.samples = 3, .temperature = 0.8});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->answer.text, "yes ") << "the surest of the winners speaks";
  EXPECT_DOUBLE_EQ(answer->confidence, (1 + 0.5) / 3);
  EXPECT_EQ(script.asked[0].sampling.temperature, 0);
  EXPECT_EQ(script.asked[1].sampling.temperature, 0.8);
  EXPECT_NE(script.asked[1].sampling.seed, script.asked[2].sampling.seed);
}

TEST(SmallAnswer, EverySampleCosts) {
  Script script{{says("b", 0.9), says("b", 0.4), says("b", 0.5)}};
  const auto answer = script.answer({.samples = 3});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->prompt_tokens, 30);
  EXPECT_EQ(answer->completion_tokens, 6);
  EXPECT_EQ(answer->latency_us, 15);
  EXPECT_DOUBLE_EQ(answer->confidence, 2.9 / 3);
}

TEST(SmallAnswer, AmongAsManyVotesTheSurerOnesWin) {
  Script script{{says("a", 0.3), says("b", 0.7)}};
  EXPECT_EQ(script.answer({.samples = 2})->answer.text, "b");
}

TEST(SmallAnswer, MoreVotesAreAlwaysSurer) {
  Script three{{says("a", 0.01), says("a", 0.01), says("a", 0.01)}};
  Script two{{says("a", 0.99), says("a", 0.99), says("b", 0.99)}};
  EXPECT_GT(three.answer({.samples = 3})->confidence, two.answer({.samples = 3})->confidence);
}

TEST(SmallAnswer, WhatMakesNoSenseIsTakenByNobodyHoweverOftenItIsSaid) {
  Script script{{Prediction{}, Prediction{}, says("b", 0.4)}};
  EXPECT_EQ(script.answer({.samples = 3})->confidence, 0);
}

TEST(SmallAnswer, AFailedSampleIsAnError) {
  const std::optional<ConfidenceModel> none;
  int asked = 0;
  const auto answer = small_answer(
      [&asked](const Question&) -> Result<Prediction> {
        if (++asked == 2) return fail(ErrorCode::unavailable, "away");
        return says("a", 1);
      },
      {"slot"}, {}, {.confidence = none, .self_consistency = {.samples = 3}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace understudy::quality
