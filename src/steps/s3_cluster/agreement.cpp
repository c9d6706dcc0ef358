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

// Group sizes with how many groups have each: the sum below depends on sizes only.
std::map<double, double> sizes_of(const std::map<std::uint32_t, double>& counts) {
  std::map<double, double> sizes;
  for (const auto& [key, count] : counts) sizes[count] += 1;
  return sizes;
}

// Mutual information that two groupings of these sizes have by chance (Vinh et al. 2010, eq. 24a).
double expected_information(const std::map<std::uint32_t, double>& groups,
                            const std::map<std::uint32_t, double>& labels, double total) {
  std::vector<double> log_factorial{0};
  for (double n = 1; n <= total; ++n) log_factorial.push_back(log_factorial.back() + std::log(n));
  const auto factorial = [&](double n) { return log_factorial[static_cast<std::size_t>(n)]; };
  double expected = 0;
  for (const auto& [a, a_times] : sizes_of(groups)) {
    for (const auto& [b, b_times] : sizes_of(labels)) {
      const double fixed = factorial(a) + factorial(b) + factorial(total - a) +
                           factorial(total - b) - factorial(total);
      double sum = 0;
      for (double n = std::max(1.0, a + b - total); n <= std::min(a, b); ++n) {
        const double chance = fixed - factorial(n) - factorial(a - n) - factorial(b - n) -
                              factorial(total - a - b + n);
        sum += n / total * std::log(total * n / (a * b)) * std::exp(chance);
      }
      expected += a_times * b_times * sum;
    }
  }
  return expected;
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
  const double by_chance = expected_information(by_group, by_label, total);
  const double expected = group_pairs * label_pairs / std::max(1.0, pairs(total));
  const double best = (group_pairs + label_pairs) / 2;
  return {.nmi = mean_entropy > 0 ? information / mean_entropy : 1,
          .ami = mean_entropy > by_chance + 1e-12
                     ? (information - by_chance) / (mean_entropy - by_chance)
                     : 1,
          .ari = best > expected ? (cell_pairs - expected) / (best - expected) : 1,
          .purity = pure / total,
          .groups = by_group.size(),
          .labels = by_label.size()};
}

}  // namespace understudy::s3
