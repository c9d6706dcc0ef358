#include "quality/audit_monitor.hpp"

#include <cmath>
#include <numeric>

#include "base/check.hpp"

namespace understudy::quality {

namespace {

// Shares of the fortune that are staked: the best against a rate of alpha + share * (1 - alpha).
constexpr std::array<double, 5> staked = {0.03, 0.1, 0.25, 0.5, 0.8};
constexpr double fortune_max = 1e30;  // far behind any alarm; keeps sums finite

bool is_share(double value) { return value > 0 && value < 1; }

}  // namespace

AuditMonitor::AuditMonitor(Limits limits) : limits_(limits) {
  static_assert(staked.size() == stakes);
  CHECK(is_share(limits.alpha) && is_share(limits.delta), "alpha and delta are shares");
}

void AuditMonitor::observe(bool agrees) {
  ++observed_;
  disagreements_ += agrees ? 0 : 1;
  const auto call = static_cast<double>(observed_);
  const double begun_now = 1 / (call * (call + 1));
  for (std::size_t i = 0; i < stakes; ++i) {
    // A fair bet at rate alpha: agreement loses the stake, disagreement wins (1 - alpha) / alpha
    // of it.
    const double factor =
        agrees ? 1 - staked[i] : 1 + staked[i] * (1 - limits_.alpha) / limits_.alpha;
    fortunes_[i] = std::min((fortunes_[i] + begun_now) * factor, fortune_max);
  }
  alarm_ = alarm_ || evidence() >= 1 / limits_.delta;
}

double AuditMonitor::evidence() const {
  const double mean =
      std::accumulate(fortunes_.begin(), fortunes_.end(), 0.0) / static_cast<double>(stakes);
  const double not_begun = 1 / (static_cast<double>(observed_) + 1);
  return mean + not_begun;
}

json::value to_json(const AuditMonitor& monitor) {
  json::array fortunes(monitor.fortunes_.begin(), monitor.fortunes_.end());
  return json::object{{"alpha", monitor.limits_.alpha},  {"delta", monitor.limits_.delta},
                      {"observed", monitor.observed_},   {"disagreements", monitor.disagreements_},
                      {"fortunes", std::move(fortunes)}, {"alarm", monitor.alarm_}};
}

Result<AuditMonitor> audit_monitor_from_json(const json::value& tree) {
  const auto wrong = [] { return fail(ErrorCode::corrupt, "a monitor's state is malformed"); };
  const AuditMonitor::Limits limits{.alpha = json::find_number(tree, "alpha").value_or(0),
                                    .delta = json::find_number(tree, "delta").value_or(0)};
  if (!is_share(limits.alpha) || !is_share(limits.delta)) return wrong();
  AuditMonitor monitor(limits);
  monitor.observed_ = json::find_integer(tree, "observed").value_or(-1);
  monitor.disagreements_ = json::find_integer(tree, "disagreements").value_or(-1);
  if (monitor.disagreements_ < 0 || monitor.observed_ < monitor.disagreements_) return wrong();
  const json::array* fortunes = json::find_array(tree, "fortunes");
  if (fortunes == nullptr || fortunes->size() != AuditMonitor::stakes) return wrong();
  for (std::size_t i = 0; i < AuditMonitor::stakes; ++i) {
    if (!(*fortunes)[i].is_number()) return wrong();
    const double fortune = (*fortunes)[i].to_number<double>();
    if (!(fortune >= 0 && fortune <= fortune_max)) return wrong();
    monitor.fortunes_[i] = fortune;
  }
  const json::value* alarm = json::find(tree, "alarm");
  if (alarm == nullptr || !alarm->is_bool()) return wrong();
  monitor.alarm_ = alarm->get_bool();
  return monitor;
}

}  // namespace understudy::quality
