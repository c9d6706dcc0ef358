#include "quality/agreement_curve.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace understudy::quality {

namespace {

constexpr int newton_steps_max = 50;
constexpr double step_small = 1e-9;
constexpr double ridge = 1e-6;       // keeps the curvature from vanishing
constexpr double log_odds_max = 14;  // beyond, confidences are as good as 0 and 1

double log_odds(double confidence) {
  if (confidence <= 0) return -log_odds_max;
  if (confidence >= 1) return log_odds_max;
  return std::clamp(std::log(confidence / (1 - confidence)), -log_odds_max, log_odds_max);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Point {
  double x = 0;
  double target = 0;
};

}  // namespace

AgreementCurve::AgreementCurve(std::span<const Judged> calls) {
  const auto agreeing = static_cast<double>(
      std::ranges::count_if(calls, [](const Judged& call) { return call.agrees; }));
  const double differing = static_cast<double>(calls.size()) - agreeing;
  std::vector<Point> points;
  for (const Judged& call : calls) {
    points.push_back(
        {.x = log_odds(call.confidence),
         .target = call.agrees ? (agreeing + 1) / (agreeing + 2) : 1 / (differing + 2)});
  }
  for (int step = 0; step < newton_steps_max; ++step) {
    double gradient[2] = {ridge * offset_, ridge * slope_};
    double curvature[3] = {ridge, 0, ridge};  // of offset, mixed, of slope
    for (const Point& point : points) {
      const double p = sigmoid(offset_ + slope_ * point.x);
      const double weight = p * (1 - p);
      gradient[0] += p - point.target;
      gradient[1] += (p - point.target) * point.x;
      curvature[0] += weight;
      curvature[1] += weight * point.x;
      curvature[2] += weight * point.x * point.x;
    }
    const double determinant = curvature[0] * curvature[2] - curvature[1] * curvature[1];
    double offset_step = (curvature[2] * gradient[0] - curvature[1] * gradient[1]) / determinant;
    double slope_step = (curvature[0] * gradient[1] - curvature[1] * gradient[0]) / determinant;
    // A step that is too long for the curve's flat ends is cut.
    const double length = std::max({1.0, std::abs(offset_step), std::abs(slope_step)});
    offset_step /= length;
    slope_step /= length;
    offset_ -= offset_step;
    slope_ -= slope_step;
    if (std::abs(offset_step) + std::abs(slope_step) < step_small) break;
  }
}

double AgreementCurve::disagreement_at(double confidence) const {
  return 1 - sigmoid(offset_ + slope_ * log_odds(confidence));
}

}  // namespace understudy::quality
