#include "quality/isotonic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace understudy::quality {
namespace {

TEST(Isotonic, LeavesWhatRises) {
  const std::vector<Point> points{{.score = 1, .value = 0.1}, {.score = 2, .value = 0.4}};
  EXPECT_EQ(isotonic_curve(points),
            (std::vector<Knot>{{.score = 1, .value = 0.1}, {.score = 2, .value = 0.4}}));
  EXPECT_TRUE(isotonic_curve({}).empty());
}

TEST(Isotonic, PoolsWhatFallsByWeight) {
  const std::vector<Point> points{
      {.score = 3, .value = 0, .weight = 3}, {.score = 1, .value = 0}, {.score = 2, .value = 1}};
  EXPECT_EQ(isotonic_curve(points), (std::vector<Knot>{{.score = 1, .value = 0},
                                                       {.score = 2, .value = 0.25},
                                                       {.score = 3, .value = 0.25}}));
}

TEST(Isotonic, IsLinearBetweenKnotsAndLevelOutside) {
  const std::vector<Knot> curve{{.score = 1, .value = 0.2}, {.score = 3, .value = 0.6}};
  EXPECT_DOUBLE_EQ(value_at(curve, 0), 0.2);
  EXPECT_DOUBLE_EQ(value_at(curve, 1), 0.2);
  EXPECT_DOUBLE_EQ(value_at(curve, 2), 0.4);
  EXPECT_DOUBLE_EQ(value_at(curve, 3), 0.6);
  EXPECT_DOUBLE_EQ(value_at(curve, 9), 0.6);
}

// The values of scikit-learn's own tests of IsotonicRegression (tests/test_isotonic.py).
TEST(Isotonic, IsAsScikitLearnsOnItsTestData) {
  const auto fitted = [](std::vector<double> scores, const std::vector<double>& values) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < scores.size(); ++i)
      points.push_back({.score = scores[i], .value = values[i]});
    const auto curve = isotonic_curve(points);
    for (double& score : scores) score = value_at(curve, score);
    return scores;
  };
  EXPECT_EQ(fitted({0, 1, 2, 3, 4, 5, 6}, {3, 7, 5, 9, 8, 7, 10}),
            (std::vector<double>{3, 6, 6, 8, 8, 8, 10}));
  EXPECT_EQ(fitted({0, 1, 2}, {10, 0, 2}), (std::vector<double>{4, 4, 4}));
  EXPECT_EQ(fitted({1, 1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 6}),
            (std::vector<double>{1.5, 1.5, 3, 4, 5, 6}));
}

// Another definition: max over the beginnings of the min over the ends of the mean between them.
TEST(Isotonic, IsTheMaxOfMinsOfMeans) {
  std::mt19937 random(8);
  std::uniform_real_distribution<double> uniform;
  std::vector<Point> points;
  for (int i = 0; i < 60; ++i)
    points.push_back(
        {.score = 1.0 * i, .value = uniform(random) + 0.01 * i, .weight = 1 + uniform(random)});
  const auto curve = isotonic_curve(points);
  for (std::size_t at = 0; at < points.size(); ++at) {
    double best = -1;
    for (std::size_t begin = 0; begin <= at; ++begin) {
      double least = 9;
      for (std::size_t end = at; end < points.size(); ++end) {
        double sum = 0;
        double weight = 0;
        for (std::size_t i = begin; i <= end; ++i) {
          sum += points[i].value * points[i].weight;
          weight += points[i].weight;
        }
        least = std::min(least, sum / weight);
      }
      best = std::max(best, least);
    }
    EXPECT_NEAR(value_at(curve, points[at].score), best, 1e-12);
  }
}

TEST(Isotonic, NeverFallsWhateverItIsGiven) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform;
  for (int draw = 0; draw < 50; ++draw) {
    std::vector<Point> points;
    double sum = 0;
    double weight = 0;
    for (int i = 0; i < 80; ++i) {
      points.push_back({.score = std::floor(20 * uniform(random)),
                        .value = uniform(random),
                        .weight = 0.1 + uniform(random)});
      sum += points.back().value * points.back().weight;
      weight += points.back().weight;
    }
    const auto curve = isotonic_curve(points);
    EXPECT_TRUE(std::ranges::is_sorted(curve, {}, &Knot::value));
    // The fit keeps the mean.
    double fitted = 0;
    for (const Point& point : points) fitted += value_at(curve, point.score) * point.weight;
    EXPECT_NEAR(fitted / weight, sum / weight, 1e-12);
  }
}

}  // namespace
}  // namespace understudy::quality
