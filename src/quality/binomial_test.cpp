#include "quality/binomial.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace understudy::quality {
namespace {

// Closed forms: with no success the upper bound is 1 - delta^(1/n), with only successes the lower
// bound is delta^(1/n).
TEST(Binomial, BoundsWithoutOneKindOfOutcomeHaveTheirClosedForm) {
  for (const std::int64_t n : {1, 10, 45, 1000}) {
    const double root = std::pow(0.1, 1 / static_cast<double>(n));
    EXPECT_NEAR(upper_bound({.successes = 0, .trials = n}, 0.1), 1 - root, 1e-12);
    EXPECT_NEAR(lower_bound({.successes = n, .trials = n}, 0.1), root, 1e-12);
  }
}

// scipy.stats.binomtest(k, n).proportion_ci(0.95, "exact")
TEST(Binomial, IntervalsAgreeWithPublishedOnes) {
  const Interval tenth = interval({.successes = 1, .trials = 10});
  EXPECT_NEAR(tenth.lower, 0.002528579, 1e-8);
  EXPECT_NEAR(tenth.upper, 0.445016117, 1e-8);
  const Interval half = interval({.successes = 5, .trials = 10});
  EXPECT_NEAR(half.lower, 0.187086029, 1e-8);
  EXPECT_NEAR(half.upper, 0.812913971, 1e-8);
  const Interval large = interval({.successes = 95, .trials = 100});
  EXPECT_NEAR(large.lower, 0.887165, 1e-5);
  EXPECT_NEAR(large.upper, 0.983568, 1e-5);
}

// The bound is where the observation just becomes unlikely: the definition itself.
TEST(Binomial, TheUpperBoundSolvesTheBinomialTail) {
  for (const std::int64_t k : {0, 3, 17}) {
    const Proportion observed{.successes = k, .trials = 120};
    EXPECT_NEAR(binomial_cdf(observed, upper_bound(observed, 0.1)), 0.1, 1e-9);
  }
}

TEST(Binomial, NoTrialsSayNothing) {
  EXPECT_EQ(upper_bound({}, 0.1), 1);
  EXPECT_EQ(lower_bound({}, 0.1), 0);
}

}  // namespace
}  // namespace understudy::quality
