#include "live/upstreams/retry.hpp"

#include <gtest/gtest.h>

namespace understudy::live {
namespace {

using namespace std::chrono_literals;

TEST(RetryBudget, RetriesAreAShareOfTheCalls) {
  RetryBudget budget(0.1);
  int burst = 0;
  while (budget.spend()) ++burst;
  EXPECT_EQ(burst, 20);
  int retries = 0;
  for (int call = 0; call < 1'000; ++call) {
    budget.earn();
    retries += budget.spend() ? 1 : 0;
  }
  EXPECT_EQ(retries, 100);
}

TEST(RetryBudget, ARatioOfZeroForbidsRetries) {
  RetryBudget budget(0);
  budget.earn();
  EXPECT_FALSE(budget.spend());
}

TEST(Backoff, DoublesUpToItsMaximumAndIsSpread) {
  const RetryConfig config{.backoff = 100ms, .backoff_max = 300ms};
  EXPECT_EQ(backoff_of(config, 1, 0), 50ms);
  EXPECT_EQ(backoff_of(config, 1, 1), 100ms);
  EXPECT_EQ(backoff_of(config, 2, 1), 200ms);
  EXPECT_EQ(backoff_of(config, 9, 1), 300ms);
  EXPECT_EQ(backoff_of(config, 1'000'000, 1), 300ms);
}

TEST(RetryAfter, ReadsSecondsAndDates) {
  const UnixMicros now{1'792'000'000'000'000};  // Wed, 14 Oct 2026 17:46:40 GMT
  EXPECT_EQ(parse_retry_after_ms("700"), 700ms);
  EXPECT_FALSE(parse_retry_after_ms("-1"));
  EXPECT_FALSE(parse_retry_after_ms("soon"));
  EXPECT_EQ(parse_retry_after("2", now), 2s);
  EXPECT_EQ(parse_retry_after("0.25", now), 250ms);
  EXPECT_EQ(parse_retry_after("Wed, 14 Oct 2026 17:46:45 GMT", now), 5s);
  EXPECT_EQ(parse_retry_after("Wed, 14 Oct 2026 17:46:00 GMT", now), 0s) << "the past is now";
  EXPECT_EQ(parse_retry_after("1e300", now), 24h) << "bounded";
  for (const char* text : {"", "soon", "-1", "nan", "2 s", "Wed, 14 Oct"}) {
    EXPECT_FALSE(parse_retry_after(text, now)) << text;
  }
}

}  // namespace
}  // namespace understudy::live
