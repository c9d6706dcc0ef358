#include "quality/agreement_curve.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace understudy::quality {
namespace {

// Calls that agree with a chance of sigmoid(offset + slope * log-odds of their confidence).
std::vector<Judged> draw(std::size_t count, double offset, double slope) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(0.05, 0.95);
  std::uniform_real_distribution<double> chance(0, 1);
  std::vector<Judged> calls;
  for (std::size_t i = 0; i < count; ++i) {
    const double confidence = uniform(random);
    const double x = offset + slope * std::log(confidence / (1 - confidence));
    calls.push_back({.confidence = confidence, .agrees = chance(random) < 1 / (1 + std::exp(-x))});
  }
  return calls;
}

TEST(AgreementCurve, FindsTheCurveThatTheCallsWereDrawnFrom) {
  const AgreementCurve curve(agreement_bins(draw(20'000, 1, 2)));
  for (const double confidence : {0.1, 0.3, 0.5, 0.7, 0.9}) {
    const double x = 1 + 2 * std::log(confidence / (1 - confidence));
    EXPECT_NEAR(curve.disagreement_at(confidence), 1 / (1 + std::exp(x)), 0.02) << confidence;
  }
}

TEST(AgreementCurve, AConfidenceThatSaysNothingGivesTheMean) {
  const AgreementCurve curve(agreement_bins(draw(20'000, 1, 0)));
  EXPECT_NEAR(curve.disagreement_at(0.1), curve.disagreement_at(0.9), 0.03);
  EXPECT_NEAR(curve.disagreement_at(0.5), 1 / (1 + std::exp(1.0)), 0.02);
}

TEST(AgreementCurve, StaysFiniteAtTheEnds) {
  std::vector<Judged> calls(60, {.confidence = 1, .agrees = true});
  calls.push_back({.confidence = 0, .agrees = false});
  const AgreementCurve curve(agreement_bins(calls));
  EXPECT_LT(curve.disagreement_at(1), 0.05);
  EXPECT_GT(curve.disagreement_at(0), 0.5);
  EXPECT_NEAR(AgreementCurve({}).disagreement_at(0.3), 0.5, 1e-6);
}

TEST(AgreementBins, CountEveryCallOnce) {
  const std::vector<Judged> calls = draw(5'000, 1, 2);
  std::int64_t counted = 0;
  double before = -1;
  for (const AgreementBin& bin : agreement_bins(calls)) {
    EXPECT_LT(before, bin.confidence);
    EXPECT_LE(bin.agreed, bin.calls);
    before = bin.confidence;
    counted += bin.calls;
  }
  EXPECT_EQ(counted, 5'000);
}

TEST(AgreementBins, AreReadAsTheyWereWritten) {
  const auto bins = agreement_bins(draw(500, 1, 2));
  json::object report{{"examples", 4}};
  write_bins(report, bins);
  const auto read = bins_in(json::to_text(report));
  ASSERT_EQ(read.size(), bins.size());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    EXPECT_NEAR(read[i].confidence, bins[i].confidence, 1e-12);
    EXPECT_EQ(read[i].calls, bins[i].calls);
    EXPECT_EQ(read[i].agreed, bins[i].agreed);
  }
  for (const char* none : {"", "{}", R"({"agreement_by_confidence":[{"calls":1,"agreed":2}]})"})
    EXPECT_TRUE(bins_in(none).empty()) << none;
}

}  // namespace
}  // namespace understudy::quality
