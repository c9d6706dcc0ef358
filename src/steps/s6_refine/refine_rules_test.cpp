#include "steps/s6_refine/refine_rules.hpp"

#include <gtest/gtest.h>

namespace understudy::s6 {
namespace {

constexpr std::int64_t day_us = 86'400'000'000;

class RefineRulesTest : public testing::Test {
 protected:
  RefineRulesTest() {
    task_.id = {"t-1"};
    task_.statistics.calls = 1000;
    facts_.model = Artifact{};
    facts_.model->made_at = {100 * day_us};
    facts_.evidence = Evaluation{};
    facts_.now = {101 * day_us};
  }
  std::string trigger() const {
    const auto found = find_trigger(facts_, {});
    return found ? found->branch + " " + found->why : "";
  }

  Task task_;
  TaskFacts facts_{.task = task_};
};

TEST_F(RefineRulesTest, WhereNothingHasChangedNothingIsDone) {
  facts_.new_calls = 199;
  EXPECT_EQ(trigger(), "");
}

TEST_F(RefineRulesTest, NewDataDriftDemotionAndAgeAskForAnotherTurn) {
  facts_.new_calls = 200;
  EXPECT_EQ(trigger(), "S2 new data: 200 calls since its model was made");
  facts_.new_calls = 1;
  facts_.now = {131 * day_us};
  EXPECT_EQ(trigger(), "S2 age: its model is 31 days old");
  facts_.new_calls = 0;  // there is nothing to learn from
  EXPECT_EQ(trigger(), "");
  facts_.watch = TaskWatch{};
  facts_.watch->drift = "other calls";
  EXPECT_EQ(trigger(), "S2 drift: other calls");
  facts_.demotion = Demotion{};
  facts_.demotion->reason = "it differs";
  EXPECT_EQ(trigger(), "S2 demoted: it differs");
}

TEST_F(RefineRulesTest, WhatATurnCouldNotMendIsTriedAgainOnlyWithMoreToLearnFrom) {
  facts_.demotion = Demotion{};
  facts_.demotion->reason = "it differs";
  facts_.demotion->at = {100 * day_us};
  facts_.watch = TaskWatch{};
  facts_.watch->drift = "other calls";
  facts_.watch->drift_at = {100 * day_us};
  facts_.new_calls = 500;
  facts_.last_turn = {.begun_at = {101 * day_us}, .new_calls = 199};
  EXPECT_EQ(trigger(), "");
  facts_.last_turn->new_calls = 200;
  EXPECT_EQ(trigger(), "S2 demoted: it differs");
  facts_.demotion.reset();
  facts_.last_turn->new_calls = 0;
  facts_.watch->drift_at = {102 * day_us};  // seen behind that turn
  EXPECT_EQ(trigger(), "S2 drift: other calls");
}

TEST_F(RefineRulesTest, AModelProblemGoesToS4) {
  facts_.evidence.reset();
  EXPECT_EQ(trigger(), "S4 its model was never measured");
  facts_.model.reset();
  EXPECT_EQ(trigger(), "S4 it has no model yet");
  task_.separable = false;
  EXPECT_EQ(trigger(), "");
}

Evaluation measured(Verdict verdict, std::int64_t kept) {
  Evaluation evaluation;
  evaluation.verdict = verdict;
  evaluation.calibration = {.calls = 1000, .kept = kept, .agreed = kept};
  return evaluation;
}

TEST(Contest, AChallengerMustBeProvenAndBetter) {
  const Evaluation proven = measured(Verdict::convert, 800);
  EXPECT_FALSE(judge(measured(Verdict::keep_llm, 0), std::nullopt, {}).challenger_wins);
  EXPECT_TRUE(judge(proven, std::nullopt, {}).challenger_wins);
  EXPECT_FALSE(judge(proven, measured(Verdict::convert, 795), {}).challenger_wins);
  EXPECT_TRUE(judge(proven, measured(Verdict::convert, 780), {}).challenger_wins);
  EXPECT_TRUE(judge(proven, measured(Verdict::keep_llm, 900), {}).challenger_wins);
  EXPECT_FALSE(judge(measured(Verdict::needs_more_data, 900), measured(Verdict::keep_llm, 0), {})
                   .challenger_wins);
}

}  // namespace
}  // namespace understudy::s6
