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

// Of few calls, whose walk begins once: certain and right, then a bad middle, then right ones.
TEST(Certificate, StopsAtTheFirstThresholdThatFailsWhereTheWalkBeginsOnce) {
  std::vector<Judged> calls;
  for (int i = 0; i < 70; ++i) calls.push_back({.confidence = 0.9, .agrees = true});
  for (int i = 0; i < 10; ++i) calls.push_back({.confidence = 0.5, .agrees = false});
  for (int i = 0; i < 110; ++i) calls.push_back({.confidence = 0.1, .agrees = true});
  const Certificate certificate = certify(calls, {.alpha = 0.1});
  EXPECT_EQ(certificate.kept, 70);
}

// The surest hundred of a thousand hold more disagreements than alpha bears, all calls do not.
TEST(Certificate, ABadBeginningCostsAShareOfDeltaAndNotTheProof) {
  std::vector<Judged> calls;
  for (int i = 0; i < 1000; ++i)
    calls.push_back({.confidence = 1 - 1e-4 * i, .agrees = i >= 200 || i % 20 != 0});
  const Certificate certificate = certify(calls, {});
  EXPECT_EQ(certificate.kept, 1000);
  EXPECT_EQ(certificate.disagreements, 10);
}

TEST(Certificate, StartsShareDeltaAndFewCallsHaveOne) {
  for (const std::size_t count : {5U, 60U, 299U, 300U, 1000U}) {
    std::vector<double> confidences;
    for (std::size_t i = 0; i < count; ++i)
      confidences.push_back(static_cast<double>(i + 1) / static_cast<double>(count));
    double shares = 0;
    std::size_t starts = 0;
    for (const GridStep& step : threshold_grid(confidences, {})) {
      shares += step.share;
      starts += step.share > 0 ? 1U : 0U;
    }
    EXPECT_NEAR(shares, 1, 1e-12);
    EXPECT_EQ(starts, count < 300 ? 1U : 3U);
  }
  // Starts that fall on one threshold are one.
  const std::vector<double> equal(500, 0.5);
  const auto grid = threshold_grid(equal, {});
  ASSERT_EQ(grid.size(), 1U);
  EXPECT_NEAR(grid.front().share, 1, 1e-12);
}

// Every threshold's true rate lies just above alpha, so that any certificate breaks the promise.
// The surest calls are the worst: the walk's first part breaks off, the later starts are true or
// not.
TEST(Certificate, BreaksItsPromiseInAtMostDeltaOfTheDrawsWhereTheSurestCallsAreTheWorst) {
  const Guarantee guarantee{.alpha = 0.05, .delta = 0.1};
  const auto rate_at = [](double u) { return u > 0.7 ? 0.1 : 0.035; };
  std::mt19937 random(12);
  std::uniform_real_distribution<double> uniform;
  int broken = 0;
  for (int draw = 0; draw < 1000; ++draw) {
    std::vector<Judged> calls;
    for (int i = 0; i < 400; ++i) {
      const double u = uniform(random);
      calls.push_back({.confidence = u, .agrees = uniform(random) >= rate_at(u)});
    }
    const Certificate certificate = certify(calls, guarantee);
    if (!certificate.holds()) continue;
    const double below = std::max(0.0, 0.7 - certificate.threshold);
    const double kept = 1 - certificate.threshold;
    broken += (0.035 * below + 0.1 * std::min(kept, 0.3)) / kept > guarantee.alpha ? 1 : 0;
  }
  RecordProperty("broken_with_a_bad_top", broken);
  EXPECT_LE(broken, 128);
}

TEST(Certificate, BreaksItsPromiseInAtMostDeltaOfTheDrawsWhereNothingIsTrue) {
  const Guarantee guarantee{.alpha = 0.05, .delta = 0.1};
  std::mt19937 random(11);
  std::uniform_real_distribution<double> uniform;
  int broken = 0;
  for (int draw = 0; draw < 1000; ++draw) {
    std::vector<Judged> calls;
    for (int i = 0; i < 400; ++i)
      calls.push_back({.confidence = uniform(random), .agrees = uniform(random) >= 0.0501});
    broken += certify(calls, guarantee).holds() ? 1 : 0;
  }
  RecordProperty("broken", broken);
  EXPECT_LE(broken, 128);
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

// Most calls are sure; one of confidence 1 - u disagrees with probability 0.6 * u.
std::vector<Judged> mostly_sure(std::size_t count, std::mt19937& random) {
  std::uniform_real_distribution<double> uniform;
  std::vector<Judged> calls;
  for (std::size_t i = 0; i < count; ++i) {
    const double doubt = std::pow(uniform(random), 8);
    calls.push_back({.confidence = 1 - doubt, .agrees = uniform(random) >= 0.6 * doubt});
  }
  return calls;
}

TEST(Certificate, CallsBesideMakeTheChoiceSteadierAndProveNothing) {
  const Guarantee guarantee{.alpha = 0.05, .delta = 0.1};
  std::mt19937 random(7);
  const auto beside = agreement_bins(mostly_sure(13'000, random));
  double lowest[2] = {1, 1};
  double highest[2] = {0, 0};
  for (int draw = 0; draw < 40; ++draw) {
    const auto calls = mostly_sure(1'000, random);
    const Certificate chosen[2] = {certify(calls, guarantee), certify(calls, guarantee, beside)};
    for (int with = 0; with < 2; ++with) {
      ASSERT_TRUE(chosen[with].holds());
      lowest[with] = std::min(lowest[with], chosen[with].threshold);
      highest[with] = std::max(highest[with], chosen[with].threshold);
    }
  }
  EXPECT_LT(highest[1] - lowest[1], (highest[0] - lowest[0]) / 2);

  auto wrong = mostly_sure(1'000, random);
  for (Judged& call : wrong) call.agrees = false;
  EXPECT_FALSE(certify(wrong, guarantee, beside).holds());
}

TEST(Certificate, TheGridDoesNotDependOnLabels) {
  const std::vector<double> confidences{0.9, 0.9, 0.7, 0.3, 0.0, 0.0};
  const auto grid = threshold_grid(confidences, {});
  ASSERT_FALSE(grid.empty());
  EXPECT_TRUE(std::ranges::is_sorted(grid, std::greater<>(), &GridStep::threshold));
  EXPECT_GT(grid.back().threshold, 0);
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
