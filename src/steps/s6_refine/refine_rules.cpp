#include "steps/s6_refine/refine_rules.hpp"

#include <algorithm>
#include <format>

#include "base/figures.hpp"

namespace understudy::s6 {

namespace {

constexpr double us_per_day = 86'400e6;

}  // namespace

std::optional<Trigger> find_trigger(const TaskFacts& facts, const RefineRules& rules) {
  if (!facts.task.separable) return std::nullopt;
  if (!facts.model) return Trigger{.why = "it has no model yet", .branch = "S4"};
  const auto wanted =
      std::max(rules.new_calls_min,
               static_cast<std::int64_t>(rules.new_calls_share *
                                         static_cast<double>(facts.task.statistics.calls)));
  // The last turn saw this already, and there is little more to learn from than it had.
  const auto tried = [&](UnixMicros seen_at) {
    return facts.last_turn && seen_at <= facts.last_turn->begun_at &&
           facts.last_turn->new_calls < wanted;
  };
  if (facts.demotion && !tried(facts.demotion->at))
    return Trigger{.why = "demoted: " + facts.demotion->reason, .branch = "S2"};
  if (facts.watch && !facts.watch->drift.empty() && !tried(facts.watch->drift_at))
    return Trigger{.why = "drift: " + facts.watch->drift, .branch = "S2"};
  if (facts.last_turn && facts.last_turn->new_calls < wanted) {
    if (!facts.evidence) return Trigger{.why = "its model was never measured", .branch = "S4"};
    return std::nullopt;
  }
  if (facts.new_calls >= wanted) {
    return Trigger{
        .why = std::format("new data: {} calls since its model was made", facts.new_calls),
        .branch = "S2"};
  }
  const double age_days =
      static_cast<double>(facts.now.value - facts.model->made_at.value) / us_per_day;
  // Age alone needs something to learn from.
  if (rules.age_days_max > 0 && age_days > rules.age_days_max && facts.new_calls > 0) {
    return Trigger{.why = std::format("age: its model is {:.0f} days old", age_days),
                   .branch = "S2"};
  }
  if (!facts.evidence) return Trigger{.why = "its model was never measured", .branch = "S4"};
  return std::nullopt;
}

Contest judge(const Evaluation& challenger, const std::optional<Evaluation>& champion,
              const RefineRules& rules) {
  if (challenger.verdict != Verdict::convert)
    return {.reason = "the challenger is not proven: " + challenger.reason};
  if (!champion)
    return {.challenger_wins = true, .reason = "proven, and only the LLM stands against it"};
  if (champion->verdict != Verdict::convert) {
    return {.challenger_wins = true,
            .reason = "the champion is not proven any more on the new calls: " + champion->reason};
  }
  const double gain = challenger.calibration.coverage() - champion->calibration.coverage();
  const std::string both = std::format("keeps {} of the same calls, the champion {}",
                                       percent(challenger.calibration.coverage()),
                                       percent(champion->calibration.coverage()));
  if (gain >= rules.coverage_gain_min) return {.challenger_wins = true, .reason = both};
  return {.reason = both + ": not enough to change"};
}

}  // namespace understudy::s6
