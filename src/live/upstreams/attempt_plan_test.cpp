#include "live/upstreams/attempt_plan.hpp"

#include <gtest/gtest.h>

namespace understudy::live {
namespace {

using namespace std::chrono_literals;
using Kind = NextAttempt::Kind;

class AttemptPlanTest : public ::testing::Test {
 protected:
  Target target(const std::string& name) {
    UpstreamConfig config;
    config.name = name;
    upstreams_.push_back(std::make_unique<NamedUpstream>(
        config, BreakerConfig{.failures = 2, .window = 10s, .open = 5s}, nullptr, SecretText()));
    return {.upstream = upstreams_.back().get(), .model = {}};
  }
  NextAttempt next(AttemptPlan& plan) { return plan.next(now_, 1); }
  static std::string name(const NextAttempt& attempt) {
    return attempt.target == nullptr ? "" : attempt.target->upstream->config.name;
  }

  AttemptPlan::Clock::time_point now_ = AttemptPlan::Clock::now();
  RetryConfig config_{.attempts_max = 4, .backoff = 100ms, .retry_after_max = 10s};
  RetryBudget budget_{1};
  std::vector<std::unique_ptr<NamedUpstream>> upstreams_;
  Target first_ = target("first");
  Target second_ = target("second");
};

TEST_F(AttemptPlanTest, TriesTheFallbackBeforeTheSameUpstreamAgain) {
  AttemptPlan plan({first_, second_}, config_, budget_);
  EXPECT_EQ(name(next(plan)), "first");
  EXPECT_EQ(name(next(plan)), "second");
  const NextAttempt third = next(plan);
  EXPECT_EQ(third.kind, Kind::wait);
  EXPECT_EQ(third.pause, 100ms);
  now_ += 100ms;
  EXPECT_EQ(name(next(plan)), "first");
}

TEST_F(AttemptPlanTest, StopsAfterItsAttempts) {
  config_.attempts_max = 1;
  AttemptPlan plan({first_, second_}, config_, budget_);
  EXPECT_EQ(next(plan).kind, Kind::go);
  EXPECT_EQ(next(plan).kind, Kind::stop);
}

TEST_F(AttemptPlanTest, AnUpstreamThatToldAnotherCallToWaitComesLast) {
  first_.upstream->cool("", now_ + 60s);
  AttemptPlan both({first_, second_}, config_, budget_);
  EXPECT_EQ(name(next(both)), "second");
  AttemptPlan alone({first_}, config_, budget_);
  EXPECT_EQ(name(next(alone)), "first") << "there is no other";
  Target other_model = first_;
  other_model.model = "another";
  AttemptPlan other({other_model, second_}, config_, budget_);
  EXPECT_EQ(name(next(other)), "first") << "limits are per model";
}

TEST_F(AttemptPlanTest, WaitsAsLongAsItWasTold) {
  AttemptPlan plan({first_}, config_, budget_);
  const NextAttempt tried = next(plan);
  plan.delay(*tried.target, 2s, now_);
  EXPECT_EQ(next(plan).kind, Kind::wait);
  EXPECT_EQ(next(plan).pause, 2s);
  plan.delay(*tried.target, 11s, now_);
  EXPECT_EQ(next(plan).kind, Kind::stop) << "longer than retry_after_max";
}

TEST_F(AttemptPlanTest, SkipsAnOpenBreakerAndSaysAtOnceWhereAllAreOpen) {
  for (int i = 0; i < 2; ++i) first_.upstream->breaker.admit(now_)->failed(now_);
  AttemptPlan both({first_, second_}, config_, budget_);
  EXPECT_EQ(name(next(both)), "second");
  AttemptPlan alone({first_}, config_, budget_);
  const NextAttempt none = next(alone);
  EXPECT_EQ(none.kind, Kind::stop);
  EXPECT_EQ(none.pause, 5s);
  now_ += 5s;
  EXPECT_EQ(name(next(alone)), "first") << "half open: this is the probe";
}

TEST_F(AttemptPlanTest, RetriesAreLimitedByTheBudgetButFallbacksAreNot) {
  RetryBudget none(0);
  AttemptPlan plan({first_, second_}, config_, none);
  EXPECT_EQ(name(next(plan)), "first");
  EXPECT_EQ(name(next(plan)), "second");
  EXPECT_EQ(next(plan).kind, Kind::stop);
}

TEST_F(AttemptPlanTest, OneRetryCostsOneShareOfTheBudgetHoweverLongItWaits) {
  config_.attempts_max = 100;
  RetryBudget budget(0.001);  // twenty to begin with
  AttemptPlan plan({first_}, config_, budget);
  int retries = -1;
  for (int i = 0; i < 1'000; ++i) {
    const NextAttempt attempt = next(plan);
    if (attempt.kind == Kind::stop) break;
    retries += attempt.kind == Kind::go ? 1 : 0;
    now_ += attempt.pause / 2 + 1ms;  // asked more than once while it waits
  }
  EXPECT_EQ(retries, 20);
}

TEST_F(AttemptPlanTest, LeavesOutWhatWillNotHelp) {
  AttemptPlan plan({first_, second_}, config_, budget_);
  EXPECT_TRUE(plan.has_untried());
  static_cast<void>(next(plan));
  plan.exclude(first_);
  EXPECT_EQ(name(next(plan)), "second");
  EXPECT_FALSE(plan.has_untried());
}

}  // namespace
}  // namespace understudy::live
