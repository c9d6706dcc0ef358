#include "quality/isotonic.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace understudy::quality {

namespace {

struct Step {
  double first = 0;
  double last = 0;
  double sum = 0;  // of weighted values
  double weight = 0;

  [[nodiscard]] double mean() const { return sum / weight; }
};

}  // namespace

std::vector<Knot> isotonic_curve(std::span<const Point> points) {
  std::vector<Point> sorted(points.begin(), points.end());
  std::ranges::stable_sort(sorted, {}, &Point::score);
  std::vector<Step> steps;
  for (const Point& point : sorted) {
    CHECK(point.weight > 0, "a point that counts nothing is left out by whoever has it");
    const double value = point.value * point.weight;
    if (!steps.empty() && steps.back().last == point.score) {
      steps.back().sum += value;
      steps.back().weight += point.weight;
    } else {
      steps.push_back(
          {.first = point.score, .last = point.score, .sum = value, .weight = point.weight});
    }
  }
  std::vector<Step> pooled;
  for (const Step& step : steps) {
    pooled.push_back(step);
    while (pooled.size() > 1 && pooled[pooled.size() - 2].mean() >= pooled.back().mean()) {
      const Step above = pooled.back();
      pooled.pop_back();
      pooled.back().last = above.last;
      pooled.back().sum += above.sum;
      pooled.back().weight += above.weight;
    }
  }
  std::vector<Knot> curve;
  for (const Step& step : pooled) {
    curve.push_back({.score = step.first, .value = step.mean()});
    if (step.last > step.first) curve.push_back({.score = step.last, .value = step.mean()});
  }
  return curve;
}

double value_at(std::span<const Knot> curve, double score) {
  CHECK(!curve.empty(), "a curve has knots");
  const auto above = std::ranges::upper_bound(curve, score, {}, &Knot::score);
  if (above == curve.begin()) return curve.front().value;
  if (above == curve.end()) return curve.back().value;
  const Knot& left = *std::prev(above);
  const double part = (score - left.score) / (above->score - left.score);
  return left.value + part * (above->value - left.value);
}

}  // namespace understudy::quality
