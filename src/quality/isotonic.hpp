// The rising step function that fits points best (isotonic regression), by pooling adjacent
// violators: neighbours that fall are put together at their mean until nothing falls. Pure and
// deterministic. Source: M. Ayer et al., Annals of Mathematical Statistics 26 (1955); for
// confidences B. Zadrozny and C. Elkan, KDD 2002.
#pragma once

#include <span>
#include <vector>

#include "records/confidence_model.hpp"

namespace understudy::quality {

struct Point {
  double score = 0;
  double value = 0;
  double weight = 1;  // above 0
};

// The first and the last score of each step with its value; points of one score count as one at
// their mean. Empty for no points.
std::vector<Knot> isotonic_curve(std::span<const Point> points);

// Linear between knots, level outside. The curve has at least one.
double value_at(std::span<const Knot> curve, double score);

}  // namespace understudy::quality
