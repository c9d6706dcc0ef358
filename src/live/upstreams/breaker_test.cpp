#include "live/upstreams/breaker.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace understudy::live {
namespace {

using namespace std::chrono_literals;

class BreakerTest : public ::testing::Test {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) breaker_.admit(now_)->failed(now_);
  }
  void succeed(int times) {
    for (int i = 0; i < times; ++i) breaker_.admit(now_)->succeeded(now_);
  }

  Breaker::Clock::time_point now_{100s};
  Breaker breaker_{{.failures = 3, .window = 10s, .open = 20s}};
};

TEST_F(BreakerTest, OpensAfterEnoughFailuresAndSaysForHowLong) {
  fail(2);
  EXPECT_EQ(breaker_.state(now_), BreakerState::closed);
  fail(1);
  EXPECT_EQ(breaker_.state(now_), BreakerState::open);
  EXPECT_FALSE(breaker_.admit(now_));
  EXPECT_EQ(breaker_.opens_in(now_ + 500ms), 19'500ms);
}

TEST_F(BreakerTest, LetsOneProbeThroughAndClosesWhenItSucceeds) {
  fail(3);
  now_ += 20s;
  EXPECT_EQ(breaker_.state(now_), BreakerState::half_open);
  auto probe = breaker_.admit(now_);
  ASSERT_TRUE(probe);
  EXPECT_FALSE(breaker_.admit(now_)) << "one probe at a time";
  probe->succeeded(now_);
  EXPECT_EQ(breaker_.state(now_), BreakerState::closed);
  fail(2);
  EXPECT_EQ(breaker_.state(now_), BreakerState::closed) << "old failures are forgotten";
}

TEST_F(BreakerTest, AFailedProbeOpensItAgain) {
  fail(3);
  now_ += 20s;
  breaker_.admit(now_)->failed(now_);
  EXPECT_EQ(breaker_.opens_in(now_), 20s);
}

TEST_F(BreakerTest, AProbeWithoutVerdictMakesRoomForTheNext) {
  fail(3);
  now_ += 20s;
  {
    const auto probe = breaker_.admit(now_);
  }  // the client went away
  EXPECT_TRUE(breaker_.admit(now_));
}

TEST_F(BreakerTest, ForgetsFailuresOfAnOldWindow) {
  fail(2);
  now_ += 11s;
  fail(2);
  EXPECT_EQ(breaker_.state(now_), BreakerState::closed);
}

TEST_F(BreakerTest, FewFailuresAmongManyGoodCallsAreNoOutage) {
  succeed(20);
  fail(5);
  EXPECT_EQ(breaker_.state(now_), BreakerState::closed);
}

TEST_F(BreakerTest, GoodCallsOfEachThreadCount) {
  for (int i = 0; i < 20; ++i) std::jthread([this] { succeed(1); });
  fail(19);
  EXPECT_EQ(breaker_.state(now_), BreakerState::closed);
  fail(1);
  EXPECT_EQ(breaker_.state(now_), BreakerState::open) << "as many failed";
}

TEST_F(BreakerTest, GoodCallsOfAnOldWindowSayNothing) {
  succeed(20);
  now_ += 11s;
  fail(3);
  EXPECT_EQ(breaker_.state(now_), BreakerState::open);
}

TEST_F(BreakerTest, ZeroFailuresMeansThatThereIsNone) {
  Breaker none({.failures = 0, .window = 10s, .open = 20s});
  for (int i = 0; i < 100; ++i) none.admit(now_)->failed(now_);
  EXPECT_EQ(none.state(now_), BreakerState::closed);
}

TEST_F(BreakerTest, AnAnswerFromBeforeItOpenedDoesNotCloseIt) {
  auto early = breaker_.admit(now_);
  fail(3);
  early->succeeded(now_);
  EXPECT_EQ(breaker_.state(now_), BreakerState::open);
}

TEST_F(BreakerTest, OnlyTheProbeDecidesWhileThereIsOne) {
  std::vector<Breaker::Permit> early;
  for (int i = 0; i < 3; ++i) early.push_back(*breaker_.admit(now_));
  fail(3);
  now_ += 20s;
  auto probe = breaker_.admit(now_);
  early[0].succeeded(now_);
  EXPECT_EQ(breaker_.state(now_), BreakerState::half_open);
  early[1].failed(now_);
  EXPECT_EQ(breaker_.opens_in(now_), 0s) << "the probe is still under way";
  early.clear();  // the third without a word
  EXPECT_FALSE(breaker_.admit(now_)) << "one probe at a time";
  probe->succeeded(now_);
  EXPECT_EQ(breaker_.state(now_), BreakerState::closed);
}

}  // namespace
}  // namespace understudy::live
