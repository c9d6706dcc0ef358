#include "adapters/telemetry/families.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <deque>
#include <limits>
#include <unordered_map>

namespace understudy::telemetry {

struct Families::State {
  std::vector<prometheus::MetricFamily> families;  // in the order of their first mention
  std::unordered_map<std::string, std::size_t> by_name;

  prometheus::ClientMetric& add(std::string_view name, std::string_view help,
                                prometheus::MetricType type, Labels labels) {
    const auto [at, fresh] = by_name.try_emplace(std::string(name), families.size());
    if (fresh) families.push_back({std::string(name), std::string(help), type, {}});
    prometheus::ClientMetric& metric = families[at->second].metric.emplace_back();
    for (auto& [label, value] : labels)
      metric.label.push_back({std::move(label), std::move(value)});
    return metric;
  }
};

Families::Families() : state_(std::make_unique<State>()) {}
Families::~Families() = default;

void Families::gauge(std::string_view name, std::string_view help, double value, Labels labels) {
  state_->add(name, help, prometheus::MetricType::Gauge, std::move(labels)).gauge.value = value;
}

void Families::counter(std::string_view name, std::string_view help, double value, Labels labels) {
  state_->add(name, help, prometheus::MetricType::Counter, std::move(labels)).counter.value = value;
}

void Families::histogram(std::string_view name, std::string_view help,
                         const HistogramValues& values, Labels labels) {
  auto& histogram =
      state_->add(name, help, prometheus::MetricType::Histogram, std::move(labels)).histogram;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < values.counts.size(); ++i) {
    cumulative += values.counts[i];
    histogram.bucket.push_back({.cumulative_count = cumulative,
                                .upper_bound = i < values.bounds.size()
                                                   ? values.bounds[i]
                                                   : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_count = cumulative;
  histogram.sample_sum = values.sum;
}

std::string Families::to_text() const {
  return prometheus::TextSerializer().Serialize(state_->families);
}

}  // namespace understudy::telemetry
