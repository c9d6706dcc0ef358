#include "quality/answer_confidence.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace understudy::quality {
namespace {

Prediction prediction_with(double least, double margin) {
  return {.answer = {.text = "x", .tool_calls = {}},
          .confidence = std::exp(least),
          .signs = signs_of({least, -0.001}, {margin, 9})};
}

ConfidenceModel level_model() {
  ConfidenceModel model;
  model.weights.assign(confidence_features + 1, 0);
  model.weights[3] = 1;  // the least margin alone
  model.curve = {
      {.score = -2, .value = 0.5}, {.score = 2, .value = 0.9}, {.score = 5, .value = 0.9}};
  return model;
}

TEST(AnswerConfidence, WithoutAModelIsThatOfTheLeastSureToken) {
  EXPECT_DOUBLE_EQ(answer_confidence(std::nullopt, prediction_with(-0.7, 1), true), std::exp(-0.7));
}

TEST(AnswerConfidence, IsTheCurvesValueAndKeepsTheOrderWhereItIsLevel) {
  const auto model = level_model();
  EXPECT_NEAR(answer_confidence(model, prediction_with(-0.7, 0), true), 0.7, 0.01);
  const double low = answer_confidence(model, prediction_with(-0.7, 2.5), true);
  const double high = answer_confidence(model, prediction_with(-0.7, 4), true);
  EXPECT_NEAR(low, 0.9, 0.01);
  EXPECT_LT(low, high);
  EXPECT_LE(high, 1);
}

TEST(AnswerConfidence, OfNoAnswerStaysZero) {
  Prediction cut_off = prediction_with(-0.7, 3);
  cut_off.confidence = 0;
  EXPECT_EQ(answer_confidence(level_model(), cut_off, true), 0);
}

TEST(AnswerConfidence, SaysWhetherTheAnswerIsValidToTheModel) {
  auto model = level_model();
  model.weights[6] = 4;
  const Prediction said = prediction_with(-0.7, -2);
  EXPECT_GT(answer_confidence(model, said, true), answer_confidence(model, said, false) + 0.3);
}

TEST(AnswerConfidence, FeaturesAreBoundedWhateverTheSigns) {
  for (const double extreme : {-1e300, -50.0, 0.0, 1e-300, 1e300}) {
    const auto features = features_of({.log_probability_min = extreme,
                                       .log_probability_tenth = extreme,
                                       .log_probability_mean = extreme,
                                       .margin_min = extreme,
                                       .margin_tenth = extreme,
                                       .tokens = 1},
                                      true);
    ASSERT_EQ(features.size(), confidence_features);
    for (const double feature : features) EXPECT_LE(std::abs(feature), 15);
  }
}

TEST(AnswerSigns, AreQuantilesOfTheTokens) {
  std::vector<double> logs;
  for (int i = 0; i < 20; ++i) logs.push_back(-1.0 * i);
  const auto signs = signs_of(logs, std::vector<double>(20, 2));
  ASSERT_TRUE(signs);
  EXPECT_EQ(signs->log_probability_min, -19);
  EXPECT_EQ(signs->log_probability_tenth, -17) << "two of twenty are less sure";
  EXPECT_EQ(signs->log_probability_mean, -9.5);
  EXPECT_EQ(signs->margin_tenth, 2);
  EXPECT_EQ(signs->tokens, 20);
  EXPECT_FALSE(signs_of({}, {}));
  EXPECT_FALSE(signs_of({-1}, {}));
}

}  // namespace
}  // namespace understudy::quality
