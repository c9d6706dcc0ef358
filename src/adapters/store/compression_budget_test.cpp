#include "adapters/store/compression_budget.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace understudy::store {
namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t group_us = 2'000;            // as often as the log's writer looks
constexpr std::uint64_t calls_of_a_flood = 60'000;  // bytes a group: 30 MB/s
constexpr std::uint64_t one_call = 2'000;

// Spends all that `groups` groups get.
std::int64_t spend_all(CompressionBudget& budget, int groups, std::int64_t elapsed_us,
                       std::uint64_t bytes) {
  std::int64_t spent = 0;
  for (int i = 0; i < groups; ++i) {
    const std::int64_t us = budget.for_group(elapsed_us, bytes);
    budget.spend(us);
    spent += us;
  }
  return spent;
}

TEST(CompressionBudget, IsAShareOfTheTimeThatPasses) {
  CompressionBudget budget;
  const std::int64_t spent = spend_all(budget, 500, group_us, one_call);
  EXPECT_EQ(spent, 500 * group_us / 100);
}

TEST(CompressionBudget, CountsTimesTooShortToEarnAMicrosecond) {
  CompressionBudget budget;
  EXPECT_EQ(spend_all(budget, 1'000, 50, 0), 500);
}

TEST(CompressionBudget, WhatQuietTimeSavedUpIsGivenOutALittleAtATime) {
  CompressionBudget budget;
  const std::int64_t first = budget.for_group(1'000 * second_us, one_call);
  EXPECT_GT(first, 0);
  EXPECT_LE(first, 200);  // no call waits longer for the core
  EXPECT_EQ(spend_all(budget, 10'000, 0, 0), limits::log_compression_saved_us_max);
}

TEST(CompressionBudget, WhatWasSpentTooMuchIsPaidBack) {
  CompressionBudget budget;
  budget.for_group(group_us, one_call);
  budget.spend(10'000);  // one large call
  EXPECT_EQ(budget.for_group(group_us, one_call), 0);
  EXPECT_GT(budget.for_group(second_us, one_call), 0);
}

TEST(CompressionBudget, ABurstIsCompressedAndAFloodIsNot) {
  CompressionBudget budget;
  EXPECT_GT(budget.for_group(second_us, 100 * one_call), 0);
  EXPECT_GT(spend_all(budget, 100, group_us, calls_of_a_flood), 0);  // for a fifth of a second
  spend_all(budget, 1'000, group_us, calls_of_a_flood);
  EXPECT_EQ(spend_all(budget, 1'000, group_us, calls_of_a_flood), 0);
  EXPECT_EQ(budget.for_group(group_us, one_call), 0);  // not over yet
  EXPECT_GT(budget.for_group(second_us, one_call), 0);
}

}  // namespace
}  // namespace understudy::store
