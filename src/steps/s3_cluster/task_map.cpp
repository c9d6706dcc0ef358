#include "steps/s3_cluster/task_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "adapters/cluster/svd.hpp"
#include "adapters/text/ngram_features.hpp"
#include "base/check.hpp"

namespace understudy::s3 {

namespace {

constexpr std::size_t calls_drawn_max = 48;
constexpr std::size_t text_bytes_max = 1024;
constexpr std::size_t tasks_relaxed_max = 600;  // each round is quadratic: 0.3 s for 600
constexpr int rounds = 60;

struct Point {
  double x = 0;
  double y = 0;
};

// Coordinates of the drawn calls, and which of them are a task's.
struct Drawn {
  cluster::DenseRows rows;
  std::vector<std::size_t> first;  // row of each task's first call; one more at the end
  std::vector<std::vector<std::size_t>> calls;
};

Drawn draw(const std::vector<std::vector<MappedCall>>& calls) {
  constexpr text::NgramOptions options{.hash_bits = 14, .char_ngram_min = 3};
  Drawn drawn;
  std::vector<text::SparseVector> counts;
  for (const auto& of_task : calls) {
    drawn.first.push_back(counts.size());
    drawn.calls.emplace_back();
    const std::size_t count = std::min(of_task.size(), calls_drawn_max);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t call = i * of_task.size() / count;
      drawn.calls.back().push_back(call);
      counts.push_back(text::ngram_counts(of_task[call].text.substr(0, text_bytes_max), options));
    }
  }
  drawn.first.push_back(counts.size());
  const text::TfIdf weights = text::TfIdf::fit(counts, 2U << options.hash_bits);
  std::vector<cluster::SparseRow> rows;
  for (text::SparseVector& vector : counts) {
    cluster::SparseRow& row = rows.emplace_back();
    for (const text::Feature& feature : weights.apply(std::move(vector)))
      row.push_back({.column = feature.index, .value = feature.value});
  }
  drawn.rows = cluster::truncated_svd(rows, {.dimensions = 32});
  return drawn;
}

std::vector<std::vector<double>> centroids_of(const Drawn& drawn) {
  std::vector<std::vector<double>> centroids;
  for (std::size_t task = 0; task + 1 < drawn.first.size(); ++task) {
    std::vector<double>& mean = centroids.emplace_back(drawn.rows.columns);
    for (std::size_t row = drawn.first[task]; row < drawn.first[task + 1]; ++row) {
      for (std::size_t j = 0; j < mean.size(); ++j)
        mean[j] += static_cast<double>(drawn.rows.row(row)[j]);
    }
    const double length =
        std::sqrt(std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0));
    for (double& value : mean) value = length > 0 ? value / length : 0;
  }
  return centroids;
}

// A circle to begin with: nothing is where something else is.
std::vector<Point> circle(std::size_t count) {
  std::vector<Point> places;
  for (std::size_t i = 0; i < count; ++i) {
    const double angle = 2.399963 * static_cast<double>(i);  // the golden angle
    const double radius = std::sqrt((static_cast<double>(i) + 0.5) / static_cast<double>(count));
    places.push_back({.x = radius * std::cos(angle), .y = radius * std::sin(angle)});
  }
  return places;
}

// Guttman transform: each place moves to where its distances to the others would have it.
void relax(std::vector<Point>& places, const std::vector<std::vector<double>>& centroids) {
  const std::size_t count = std::min(places.size(), tasks_relaxed_max);
  if (count < 2) return;
  std::vector<std::vector<double>> wanted(count, std::vector<double>(count));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      const double cosine =
          std::inner_product(centroids[i].begin(), centroids[i].end(), centroids[j].begin(), 0.0);
      wanted[i][j] = std::sqrt(std::max(0.0, 2 - 2 * cosine));
    }
  }
  for (int round = 0; round < rounds; ++round) {
    std::vector<Point> next(count);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) {
        if (i == j) continue;
        const double dx = places[i].x - places[j].x;
        const double dy = places[i].y - places[j].y;
        const double ratio = wanted[i][j] / std::max(1e-6, std::hypot(dx, dy));
        next[i].x += ratio * dx / static_cast<double>(count);
        next[i].y += ratio * dy / static_cast<double>(count);
      }
    }
    std::ranges::copy(next, places.begin());
  }
}

void fit_into_square(std::vector<Point>& places) {
  double largest = 1e-9;
  for (const Point& place : places)
    largest = std::max({largest, std::abs(place.x), std::abs(place.y)});
  for (Point& place : places) place = {.x = place.x / largest, .y = place.y / largest};
}

// The two coordinates in which a task's calls differ most.
std::array<std::size_t, 2> widest(const Drawn& drawn, std::size_t task) {
  std::vector<double> spread(drawn.rows.columns);
  for (std::size_t j = 0; j < spread.size(); ++j) {
    double sum = 0;
    double squares = 0;
    for (std::size_t row = drawn.first[task]; row < drawn.first[task + 1]; ++row) {
      const auto value = static_cast<double>(drawn.rows.row(row)[j]);
      sum += value;
      squares += value * value;
    }
    const auto count = static_cast<double>(drawn.first[task + 1] - drawn.first[task]);
    spread[j] = squares / count - (sum / count) * (sum / count);
  }
  std::array<std::size_t, 2> found{0, 0};
  for (std::size_t j = 0; j < spread.size(); ++j) {
    if (spread[j] > spread[found[0]]) found[0] = j;
  }
  found[1] = found[0] == 0 && spread.size() > 1 ? 1 : 0;
  for (std::size_t j = 0; j < spread.size(); ++j) {
    if (j != found[0] && spread[j] > spread[found[1]]) found[1] = j;
  }
  return found;
}

}  // namespace

void place_on_map(std::vector<Task>& tasks, const std::vector<std::vector<MappedCall>>& calls) {
  CHECK(tasks.size() == calls.size(), "calls for each task");
  if (tasks.empty()) return;
  const Drawn drawn = draw(calls);
  const auto centroids = centroids_of(drawn);
  std::vector<Point> places = circle(tasks.size());
  relax(places, centroids);
  fit_into_square(places);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    MapPlace& map = tasks[i].map;
    map = {.x = places[i].x,
           .y = places[i].y,
           .radius = 0.02 + 0.2 * std::sqrt(tasks[i].statistics.share_of_calls),
           .calls = {}};
    if (drawn.rows.columns == 0 || drawn.calls[i].empty()) continue;
    const auto axes = widest(drawn, i);
    for (std::size_t c = 0; c < drawn.calls[i].size(); ++c) {
      const auto row = drawn.rows.row(drawn.first[i] + c);
      const auto offset = [&](std::size_t axis) {
        return map.radius * (static_cast<double>(row[axis]) - centroids[i][axis]) / 2;
      };
      map.calls.push_back({.call = calls[i][drawn.calls[i][c]].call,
                           .x = map.x + offset(axes[0]),
                           .y = map.y + offset(axes[1])});
    }
  }
}

}  // namespace understudy::s3
