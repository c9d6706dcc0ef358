#include "records/task_splits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace understudy {
namespace {

struct Calls {
  std::vector<Example> examples;
  std::unordered_set<CallId> members;
  std::mt19937 random{5};

  // Sessions of two calls, a third of them each in train, calibration and test.
  void add_sessions(int count) {
    for (int i = 0; i < count; ++i) {
      const auto split = static_cast<Split>(random() % 3);
      const auto rank = static_cast<std::uint32_t>(random() % (1U << 30U));
      for (int call = 0; call < 2; ++call) {
        Example example;
        example.call = {std::to_string(examples.size())};
        example.session = {std::to_string(rank)};
        example.split = split;
        example.rank = rank;
        members.insert(example.call);
        examples.push_back(std::move(example));
      }
    }
  }
  [[nodiscard]] std::map<std::string, Split> splits() const {
    const TaskSplits task(examples, members);
    std::map<std::string, Split> of;
    for (const Example& example : examples) of[example.call.value] = task.of(example);
    return of;
  }
};

TEST(TaskSplits, ASmallTaskIsSplitAsCurationSaid) {
  Calls calls;
  calls.add_sessions(600);
  const TaskSplits task(calls.examples, calls.members);
  for (const Example& example : calls.examples) EXPECT_EQ(task.of(example), example.split);
}

TEST(TaskSplits, ALargeOnePutsNoMoreAsideThanItsProofNeeds) {
  Calls calls;
  calls.add_sessions(6'000);
  std::map<Split, std::size_t> counts;
  for (const auto& [call, split] : calls.splits()) ++counts[split];
  EXPECT_NEAR(static_cast<double>(counts[Split::calibration]), double{calibration_calls_max}, 2);
  EXPECT_NEAR(static_cast<double>(counts[Split::test]), double{test_calls_max}, 2);
}

TEST(TaskSplits, CallsOfOneRankStayTogether) {
  Calls calls;
  calls.add_sessions(6'000);
  const auto splits = calls.splits();
  for (std::size_t i = 0; i < calls.examples.size(); i += 2)
    EXPECT_EQ(splits.at(std::to_string(i)), splits.at(std::to_string(i + 1)));
}

TEST(TaskSplits, WhatTrainedOnceNeverJudges) {
  Calls calls;
  calls.add_sessions(2'000);
  const auto before = calls.splits();
  calls.add_sessions(4'000);
  const auto after = calls.splits();
  for (const auto& [call, split] : before) {
    if (split == Split::train)
      EXPECT_EQ(after.at(call), Split::train);
    else
      EXPECT_TRUE(after.at(call) == split || after.at(call) == Split::train);
  }
}

TEST(TaskSplits, APartOfManyTrainingCallsFitsTheConfidenceAndNoneOfAFew) {
  for (const int sessions : {300, 1'500, 6'000}) {
    Calls calls;
    calls.add_sessions(sessions);
    const TaskSplits task(calls.examples, calls.members);
    std::size_t train = 0;
    std::size_t fits = 0;
    for (const Example& example : calls.examples) {
      train += example.split == Split::train ? 1U : 0U;
      if (!task.fits_confidence(example)) continue;
      ++fits;
      EXPECT_EQ(task.of(example), Split::train);
    }
    const double wanted =
        std::min(confidence_share * static_cast<double>(train), double{confidence_calls_max});
    EXPECT_NEAR(static_cast<double>(fits), train < training_calls_to_spare ? 0 : wanted, 2);
  }
}

TEST(TaskSplits, CallsThatAllHangTogetherFitNoConfidence) {
  Calls calls;
  calls.add_sessions(1'500);
  for (Example& example : calls.examples) example.rank = 7;
  const TaskSplits task(calls.examples, calls.members);
  for (const Example& example : calls.examples) EXPECT_FALSE(task.fits_confidence(example));
}

TEST(TaskSplits, CallsOfOtherTasksDoNotCount) {
  Calls calls;
  calls.add_sessions(6'000);
  calls.members = {{"1"}};
  for (const Example& example : calls.examples)
    EXPECT_EQ(TaskSplits(std::span(calls.examples).first(10), calls.members).of(example),
              example.split);
}

}  // namespace
}  // namespace understudy
