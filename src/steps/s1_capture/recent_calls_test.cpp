#include "steps/s1_capture/recent_calls.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace understudy::s1 {
namespace {

constexpr std::uint64_t buckets_period = 4 * limits::tracked_conversations_max;

class RecentCallsTest : public ::testing::Test {
 protected:
  RecentCalls::Number add(std::uint64_t chain, std::uint64_t session, std::uint32_t system = 0) {
    return calls_.add(calls_.lock(), chain, system, {.session = session, .step = 0, .id = {}});
  }
  bool knows(std::uint64_t chain) { return calls_.knows(calls_.lock(), chain); }
  // 0: none.
  std::uint64_t adopt(std::uint64_t chain, std::uint64_t print, std::uint32_t child) {
    const auto parent = calls_.adopt({.chain = chain, .print = print, .system = 0, .child = child});
    return parent ? parent->session : 0;
  }

  RecentCalls calls_;
};

TEST_F(RecentCallsTest, TheAnswerTellsRunsApartAndEachTakesOne) {
  const auto first = add(7, 1);
  add(7, 2);
  const auto third = add(7, 3);
  calls_.set_print(first, 50);
  calls_.set_print(third, 60);
  EXPECT_EQ(adopt(7, 60, 100), 3U);
  EXPECT_EQ(adopt(7, 50, 101), 1U);
  EXPECT_EQ(adopt(7, 70, 102), 2U) << "its answer is not known yet";
  EXPECT_EQ(adopt(7, 60, 100), 3U) << "a retry";
  EXPECT_EQ(adopt(8, 60, 103), 0U);
}

TEST_F(RecentCallsTest, ChainsOfOneBucketAreToldApart) {
  add(7, 1);
  add(7 + buckets_period, 2);
  add(7 + 2 * buckets_period, 3);
  EXPECT_TRUE(knows(7));
  EXPECT_TRUE(knows(7 + buckets_period));
  EXPECT_FALSE(knows(7 + 3 * buckets_period));
  EXPECT_EQ(adopt(7, 0, 100), 1U);
  EXPECT_EQ(adopt(7 + 2 * buckets_period, 0, 101), 3U);
}

// Links into slots that other calls took lead nowhere, be they in a bucket or in an entry.
TEST_F(RecentCallsTest, TheOldestIsForgottenWhereverItIsLinked) {
  const auto oldest = add(7, 1);
  add(7 + buckets_period, 2);
  add(9, 3);
  for (std::uint64_t i = 3; i < limits::tracked_conversations_max; ++i) add(1000 + i, i + 1);
  EXPECT_TRUE(knows(7)) << "as many as there is room for";
  add(8, 1'000'000);  // in the slot of the oldest
  EXPECT_FALSE(knows(7));
  EXPECT_TRUE(knows(7 + buckets_period)) << "whose link to the oldest is still there";
  EXPECT_FALSE(knows(7 + 2 * buckets_period));
  calls_.set_print(oldest, 60);
  calls_.add_alias(oldest, 70);
  EXPECT_FALSE(knows(70)) << "it is forgotten";
  EXPECT_EQ(adopt(8, 0, 100), 1'000'000U);
  add(10, 5);
  EXPECT_FALSE(knows(7 + buckets_period));
  EXPECT_TRUE(knows(9));
}

TEST_F(RecentCallsTest, AnAliasIsTheSameCall) {
  const auto number = add(7, 1);
  calls_.add_alias(number, 20);
  EXPECT_EQ(adopt(20, 0, 100), 1U);
  EXPECT_EQ(adopt(7, 0, 101), 1U);
}

TEST_F(RecentCallsTest, PrintsMayComeWhileOthersAddAndLook) {
  std::atomic<bool> done = false;
  std::jthread looks([&] {
    while (!done) static_cast<void>(adopt(7, 1, 2));
  });
  for (std::uint64_t i = 0; i < 20'000; ++i) calls_.set_print(add(i % 16, 1), i + 1);
  done = true;
}

}  // namespace
}  // namespace understudy::s1
