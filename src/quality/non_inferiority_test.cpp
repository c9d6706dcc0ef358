#include "quality/non_inferiority.hpp"

#include <gtest/gtest.h>

#include <random>

namespace understudy::quality {
namespace {

TEST(NonInferiority, NeedsCallsToSayAnything) {
  EXPECT_FALSE(non_inferiority({}, {}).holds);
  EXPECT_FALSE(non_inferiority({.calls = 50}, {.margin = 0.02, .delta = 0.1}).holds);
  // Nothing lost in n calls: the bound is 1 - 0.05^(1/n), 0.0198 at 150.
  EXPECT_TRUE(non_inferiority({.calls = 150}, {.margin = 0.02, .delta = 0.1}).holds);
}

TEST(NonInferiority, WhatIsWonMakesUpForWhatIsLost) {
  const NonInferiorityRule rule{.margin = 0.05, .delta = 0.1};
  EXPECT_FALSE(non_inferiority({.calls = 400, .only_llm_right = 30}, rule).holds);
  const auto both =
      non_inferiority({.calls = 400, .only_llm_right = 30, .only_slm_right = 45}, rule);
  EXPECT_TRUE(both.holds);
  EXPECT_NEAR(both.difference, 0.0375, 1e-12);
  EXPECT_LT(both.difference_lower, both.difference);
}

// Over draws in which the small model is worse by exactly the margin, it is passed at most delta of
// the time.
TEST(NonInferiority, KeepsItsPromise) {
  constexpr NonInferiorityRule rule{.margin = 0.05, .delta = 0.1};
  std::mt19937_64 random(7);
  std::discrete_distribution<int> outcome({0.10, 0.05, 0.85});  // only LLM, only SLM, the same
  int passed = 0;
  int naive = 0;
  constexpr int draws = 1000;
  for (int draw = 0; draw < draws; ++draw) {
    PairedOutcomes seen{.calls = 300};
    for (int i = 0; i < 300; ++i) {
      const int what = outcome(random);
      seen.only_llm_right += what == 0 ? 1 : 0;
      seen.only_slm_right += what == 1 ? 1 : 0;
    }
    const NonInferiority result = non_inferiority(seen, rule);
    passed += result.holds ? 1 : 0;
    naive += result.difference >= -rule.margin ? 1 : 0;
  }
  EXPECT_LE(passed, static_cast<int>(rule.delta * draws));
  EXPECT_GT(naive, 4 * draws / 10) << "the observed difference alone is a coin toss";
}

}  // namespace
}  // namespace understudy::quality
