#include "adapters/text/logistic.hpp"

#include <cmath>
#include <cstddef>

#include "adapters/text/liblinear.hpp"
#include "base/check.hpp"

namespace understudy::text {

namespace {

struct Scale {
  double mean = 0;
  double deviation = 1;  // 1 where all are the same
};

std::vector<Scale> scales_of(std::span<const std::vector<double>> rows) {
  std::vector<Scale> scales(rows.front().size());
  const auto count = static_cast<double>(rows.size());
  for (std::size_t i = 0; i < scales.size(); ++i) {
    for (const auto& row : rows) scales[i].mean += row[i] / count;
    double variance = 0;
    for (const auto& row : rows) variance += std::pow(row[i] - scales[i].mean, 2) / count;
    if (variance > 0) scales[i].deviation = std::sqrt(variance);
  }
  return scales;
}

}  // namespace

std::vector<double> fit_logistic(std::span<const std::vector<double>> rows,
                                 const std::vector<bool>& labels, double cost) {
  CHECK(!rows.empty() && rows.size() == labels.size(), "one label an example");
  silence_liblinear();
  const std::vector<Scale> scales = scales_of(rows);
  const std::size_t features = scales.size();
  std::vector<std::vector<feature_node>> nodes;
  std::vector<double> targets;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    auto& row = nodes.emplace_back();
    for (std::size_t i = 0; i < features; ++i) {
      row.push_back({.index = static_cast<int>(i) + 1,
                     .value = (rows[r][i] - scales[i].mean) / scales[i].deviation});
    }
    row.push_back({.index = static_cast<int>(features) + 1, .value = 1});  // bias
    row.push_back({.index = -1, .value = 0});
    targets.push_back(labels[r] ? 1 : -1);
  }
  std::vector<feature_node*> pointers;
  for (auto& row : nodes) pointers.push_back(row.data());
  problem task{};
  task.l = static_cast<int>(rows.size());
  task.n = static_cast<int>(features) + 1;
  task.y = targets.data();
  task.x = pointers.data();
  task.bias = 1;
  parameter how{};
  how.solver_type = L2R_LR;
  how.C = cost;
  how.eps = 1e-4;
  model* fitted = ::train(&task, &how);
  const double sign = fitted->label[0] == 1 ? 1 : -1;
  std::vector<double> weights(features + 1);
  weights.back() = sign * fitted->w[features];
  for (std::size_t i = 0; i < features; ++i) {
    weights[i] = sign * fitted->w[i] / scales[i].deviation;
    weights.back() -= weights[i] * scales[i].mean;
  }
  free_and_destroy_model(&fitted);
  return weights;
}

}  // namespace understudy::text
