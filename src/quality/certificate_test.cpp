#include "quality/certificate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace understudy::quality {
namespace {

// Confidences are uniform; a call with confidence u disagrees with probability scale * (1 - u)^2.
struct Population {
  double scale = 0.3;

  [[nodiscard]] std::vector<Judged> draw(std::size_t count, std::mt19937& random) const {
    std::uniform_real_distribution<double> uniform;
    std::vector<Judged> calls;
    for (std::size_t i = 0; i < count; ++i) {
      const double confidence = uniform(random);
      calls.push_back({.confidence = confidence,
                       .agrees = uniform(random) >= scale * (1 - confidence) * (1 - confidence)});
    }
    return calls;
  }
  // Mean of scale * (1 - u)^2 over u in [threshold, 1].
  [[nodiscard]] double rate_above(double threshold) const {
    return scale * (1 - threshold) * (1 - threshold) / 3;
  }
};

// What people do without statistics: the lowest threshold whose calls agree often enough.
double naive_threshold(std::vector<Judged> calls, double alpha) {
  std::ranges::sort(calls, std::greater<>(), &Judged::confidence);
  double threshold = 2;
  double wrong = 0;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    wrong += calls[i].agrees ? 0 : 1;
    if (wrong / static_cast<double>(i + 1) <= alpha) threshold = calls[i].confidence;
  }
  return threshold;
}

TEST(Certificate, BreaksItsPromiseInAtMostDeltaOfTheDrawsAndANaiveThresholdFarMoreOften) {
  const Guarantee guarantee{.alpha = 0.05, .delta = 0.1};
  const Population population;
  std::mt19937 random(20261124);
  constexpr int draws = 1000;
  int broken = 0;
  int broken_naively = 0;
  double coverage = 0;
  for (int draw = 0; draw < draws; ++draw) {
    const auto calls = population.draw(400, random);
    const Certificate certificate = certify(calls, guarantee);
    if (certificate.holds()) {
      broken += population.rate_above(certificate.threshold) > guarantee.alpha ? 1 : 0;
      coverage += 1 - certificate.threshold;
    }
    const double naive = naive_threshold(calls, guarantee.alpha);
    broken_naively += naive <= 1 && population.rate_above(naive) > guarantee.alpha ? 1 : 0;
  }
  RecordProperty("broken", broken);
  RecordProperty("broken_naively", broken_naively);
  // Three standard deviations of 1,000 draws at a rate of 0.1.
  EXPECT_LE(broken, 128);
  EXPECT_GE(broken_naively, 300);
  EXPECT_GT(coverage / draws, 0.4) << "a bound that keeps nothing would be no use";
}

TEST(Certificate, KeepsEverythingThatAlwaysAgrees) {
  std::vector<Judged> calls;
  for (int i = 1; i <= 60; ++i) calls.push_back({.confidence = i / 60.0, .agrees = true});
  const Certificate certificate = certify(calls, {});
  EXPECT_EQ(certificate.kept, 60);
  EXPECT_LE(certificate.bound, 0.05);
  EXPECT_EQ(decide(calls, certificate, {}).verdict, Verdict::convert);
}

TEST(Certificate, NeverKeepsFailedPredictions) {
  std::vector<Judged> calls(200, {.confidence = 0.9, .agrees = true});
  calls.resize(210, {.confidence = 0, .agrees = false});
  const Certificate certificate = certify(calls, {});
  EXPECT_EQ(certificate.kept, 200);
  EXPECT_GT(certificate.threshold, 0);
}

TEST(Certificate, StopsAtTheFirstThresholdThatFails) {
  // Certain and right, then a bad middle, then many right ones that would dilute it.
  std::vector<Judged> calls;
  for (int i = 0; i < 200; ++i) calls.push_back({.confidence = 0.9, .agrees = true});
  for (int i = 0; i < 100; ++i) calls.push_back({.confidence = 0.5, .agrees = i % 2 == 0});
  for (int i = 0; i < 2000; ++i) calls.push_back({.confidence = 0.1, .agrees = true});
  const Certificate certificate = certify(calls, {});
  EXPECT_FALSE(certificate.holds() && certificate.threshold < 0.5);
}

// 900 calls that always agree and 100 less sure ones of which half do: all of them together stay
// below alpha 0.1, but traffic with more of the second kind would not.
TEST(Certificate, KeepsNoTailOfCallsThatMostlyDisagree) {
  const Guarantee guarantee{.alpha = 0.1, .delta = 0.1};
  std::vector<Judged> calls;
  for (int i = 0; i < 900; ++i) calls.push_back({.confidence = 0.9 - 1e-5 * i, .agrees = true});
  for (int i = 0; i < 100; ++i) {
    calls.push_back({.confidence = 0.5 - 1e-5 * i, .agrees = i % 2 == 0});
  }
  const Certificate certificate = certify(calls, guarantee);
  EXPECT_GE(certificate.kept, 890);  // a step of the grid below the 900
  EXPECT_LE(certificate.kept, 900);
}

TEST(Certificate, TheGridDoesNotDependOnLabels) {
  const std::vector<double> confidences{0.9, 0.9, 0.7, 0.3, 0.0, 0.0};
  const auto grid = threshold_grid(confidences, {});
  ASSERT_FALSE(grid.empty());
  EXPECT_TRUE(std::ranges::is_sorted(grid, std::greater<>()));
  EXPECT_GT(grid.back(), 0);
}

// Calls needed at delta 0.1 and power 0.8; the reference steps through coarser numbers of calls, so
// that it lies a little above for rates near alpha.
TEST(Certificate, CallsNeededAreThoseOfTheReferenceTable) {
  EXPECT_EQ(calls_needed({.alpha = 0.05}, 0), 45);
  EXPECT_EQ(calls_needed({.alpha = 0.10}, 0), 22);
  EXPECT_EQ(calls_needed({.alpha = 0.20}, 0), 11);
  EXPECT_NEAR(static_cast<double>(*calls_needed({.alpha = 0.05}, 0.0125)), 108, 5);
  EXPECT_NEAR(static_cast<double>(*calls_needed({.alpha = 0.05}, 0.025)), 284, 10);
  EXPECT_NEAR(static_cast<double>(*calls_needed({.alpha = 0.10}, 0.025)), 54, 3);
  const auto near_alpha = static_cast<double>(*calls_needed({.alpha = 0.05}, 0.0375));
  EXPECT_LE(near_alpha, 1357);
  EXPECT_GE(near_alpha, 0.8 * 1357);
  EXPECT_FALSE(calls_needed({.alpha = 0.05}, 0.05).has_value());
}

TEST(Certificate, TooFewCallsAskForMore) {
  std::vector<Judged> calls;
  for (int i = 1; i <= 20; ++i) calls.push_back({.confidence = i / 20.0, .agrees = true});
  const Certificate certificate = certify(calls, {});
  EXPECT_FALSE(certificate.holds());
  const Decision decision = decide(calls, certificate, {});
  EXPECT_EQ(decision.verdict, Verdict::needs_more_data);
  EXPECT_GE(decision.calls_needed, 25);
  EXPECT_LT(decision.calls_needed, 500);
}

TEST(Certificate, NoCallsAtAllAskForMore) {
  const Decision decision = decide({}, certify({}, {}), {});
  EXPECT_EQ(decision.verdict, Verdict::needs_more_data);
  EXPECT_GT(decision.calls_needed, 0);
}

TEST(Certificate, AModelThatNeverAgreesLeavesTheTaskToTheLlm) {
  std::vector<Judged> calls;
  for (int i = 1; i <= 200; ++i) calls.push_back({.confidence = i / 200.0, .agrees = false});
  const Decision decision = decide(calls, certify(calls, {}), {});
  EXPECT_EQ(decision.verdict, Verdict::keep_llm);
  EXPECT_NE(decision.reason.find("100.0 %"), std::string::npos);
}

TEST(Certificate, AnUninformativeConfidenceLeavesTheTaskToTheLlm) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform;
  std::vector<Judged> calls;
  for (int i = 0; i < 2000; ++i)
    calls.push_back({.confidence = uniform(random), .agrees = uniform(random) < 0.7});
  EXPECT_EQ(decide(calls, certify(calls, {}), {}).verdict, Verdict::keep_llm);
}

}  // namespace
}  // namespace understudy::quality
