#include "steps/s3_cluster/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/check.hpp"

namespace understudy::s3 {

namespace {

double pairs(double count) { return count * (count - 1) / 2; }

double entropy(const std::map<std::uint32_t, double>& counts, double total) {
  double nats = 0;
  for (const auto& [key, count] : counts) nats -= count / total * std::log(count / total);
  return nats;
}

}  // namespace

Agreement agreement(const std::vector<std::uint32_t>& groups,
                    const std::vector<std::uint32_t>& labels) {
  CHECK(groups.size() == labels.size(), "one group and one label per call");
  if (groups.empty()) return {};
  const auto total = static_cast<double>(groups.size());
  std::map<std::uint32_t, double> by_group;
  std::map<std::uint32_t, double> by_label;
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> cells;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    by_group[groups[i]] += 1;
    by_label[labels[i]] += 1;
    cells[{groups[i], labels[i]}] += 1;
  }
  double information = 0;
  double cell_pairs = 0;
  std::map<std::uint32_t, double> commonest;
  for (const auto& [cell, count] : cells) {
    information +=
        count / total * std::log(count * total / (by_group[cell.first] * by_label[cell.second]));
    cell_pairs += pairs(count);
    commonest[cell.first] = std::max(commonest[cell.first], count);
  }
  double group_pairs = 0;
  double label_pairs = 0;
  double pure = 0;
  for (const auto& [group, count] : by_group) group_pairs += pairs(count);
  for (const auto& [label, count] : by_label) label_pairs += pairs(count);
  for (const auto& [group, count] : commonest) pure += count;
  const double mean_entropy = (entropy(by_group, total) + entropy(by_label, total)) / 2;
  const double expected = group_pairs * label_pairs / std::max(1.0, pairs(total));
  const double best = (group_pairs + label_pairs) / 2;
  return {.nmi = mean_entropy > 0 ? information / mean_entropy : 1,
          .ari = best > expected ? (cell_pairs - expected) / (best - expected) : 1,
          .purity = pure / total,
          .groups = by_group.size(),
          .labels = by_label.size()};
}

}  // namespace understudy::s3
