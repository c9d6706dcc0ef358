#include "quality/answer_confidence.hpp"

#include <algorithm>
#include <cmath>

#include "quality/isotonic.hpp"

namespace understudy::quality {

namespace {

// exp(-15) is 3e-7: a float's probability is not told from 1 more finely.
constexpr double log_odds_max = 15;
// Of the confidence; the rest is the curve's. Keeps the order of answers on a level part.
constexpr double order_share = 0.01;

double log_odds(double log_probability) {
  const double below_one = -std::expm1(std::min(log_probability, 0.0));
  if (below_one <= 0) return log_odds_max;
  return std::clamp(log_probability - std::log(below_one), -log_odds_max, log_odds_max);
}

double sigmoid(double score) { return 1 / (1 + std::exp(-score)); }

}  // namespace

std::vector<double> features_of(const AnswerSigns& signs, bool valid) {
  const auto bounded = [](double margin) {
    return std::clamp(margin, -log_odds_max, log_odds_max);
  };
  return {log_odds(signs.log_probability_min),
          log_odds(signs.log_probability_tenth),
          log_odds(signs.log_probability_mean),
          bounded(signs.margin_min),
          bounded(signs.margin_tenth),
          std::log1p(static_cast<double>(std::max<std::int64_t>(signs.tokens, 0))),
          valid ? 1.0 : 0.0};
}

double score_of(const ConfidenceModel& model, const AnswerSigns& signs, bool valid) {
  if (model.weights.size() != confidence_features + 1) return 0;
  const std::vector<double> features = features_of(signs, valid);
  double score = model.weights.back();
  for (std::size_t i = 0; i < features.size(); ++i) score += model.weights[i] * features[i];
  return score;
}

double answer_confidence(const std::optional<ConfidenceModel>& model, const Prediction& prediction,
                         bool valid) {
  if (!model || !prediction.signs || prediction.confidence <= 0) return prediction.confidence;
  const double score = score_of(*model, *prediction.signs, valid);
  return (1 - order_share) * value_at(model->curve, score) + order_share * sigmoid(score);
}

}  // namespace understudy::quality
