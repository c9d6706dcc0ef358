#include "live/route/watched_task.hpp"

#include <algorithm>
#include <format>
#include <utility>

#include "base/clock.hpp"
#include "base/figures.hpp"
#include "quality/binomial.hpp"

namespace understudy::live {

namespace {

constexpr double false_alarm_chance = 0.02;  // ever, of one decision's audit
constexpr std::size_t recent_max = 50;

// Drift is looked for in windows, each with a chance of a false word that is small enough for years
// of windows, and only for changes that matter.
constexpr double window_confidence = 1 - 1e-6;
constexpr std::int64_t coverage_window_calls = 300;
constexpr std::int64_t share_window_calls = 1000;
constexpr double coverage_change_min = 0.1;
constexpr double share_change_min = 2;  // times less than expected
constexpr std::int64_t slots_window_calls = 400;
// Half of the values are on either side of the median at most.
constexpr double slot_side_share = 0.5;
constexpr double slot_side_change_min = 0.15;
constexpr double slot_beyond_share_min = 0.05;  // longer than any that was learned from

quality::AuditMonitor monitor_of(const TaskPolicy& policy, const std::optional<TaskWatch>& before) {
  quality::AuditMonitor fresh({.alpha = policy.alpha, .delta = false_alarm_chance});
  if (!before) return fresh;
  auto stored = quality::audit_monitor_from_json(before->monitor);
  return stored && stored->limits().alpha == policy.alpha ? *stored : fresh;
}

}  // namespace

WatchedTask::WatchedTask(const TaskPolicy& policy, const std::optional<TaskWatch>& before)
    : policy_(policy),
      matched_(before ? before->matched : 0),
      asked_(before ? before->asked : 0),
      accepted_(before ? before->accepted : 0),
      slots_(policy.expected_slots.size()),
      monitor_(monitor_of(policy, before)),
      slots_began_(matched_),
      slots_before_(policy.expected_slots.size()) {
  if (!before) return;
  shadow_ = before->shadow;
  audit_ = before->audit;
  seen_before_ = before->seen;
  drift_ = before->drift;
  drift_at_ = before->drift_at;
  const Window now{.seen = 0,
                   .matched = matched_,
                   .asked = asked_ + shadow_.calls,
                   .kept = accepted_ + shadow_.kept};
  share_began_ = coverage_began_ = now;
}

bool WatchedTask::is_of(const TaskPolicy& policy) const {
  return policy.task == policy_.task && policy.artifact == policy_.artifact &&
         policy.decided_at == policy_.decided_at;
}

void WatchedTask::matched(const std::vector<std::string>& slots) {
  constexpr auto relaxed = std::memory_order_relaxed;
  matched_.fetch_add(1, relaxed);
  for (std::size_t i = 0; i < std::min(slots.size(), slots_.size()); ++i) {
    const auto bytes = static_cast<std::int64_t>(slots[i].size());
    const SlotLengths& expected = policy_.expected_slots[i];
    if (bytes < expected.median) slots_[i].shorter.fetch_add(1, relaxed);
    if (bytes > expected.median) slots_[i].longer.fetch_add(1, relaxed);
    if (bytes > expected.longest) slots_[i].beyond.fetch_add(1, relaxed);
  }
}

void WatchedTask::compared_in_shadow(Comparison comparison) {
  const std::scoped_lock lock(mutex_);
  ++shadow_.calls;
  shadow_.kept += comparison.kept ? 1 : 0;
  shadow_.agreed += comparison.kept && comparison.agrees ? 1 : 0;
}

std::optional<Demotion> WatchedTask::audited(bool agrees) {
  const std::scoped_lock lock(mutex_);
  ++audit_.calls;
  ++audit_.kept;
  audit_.agreed += agrees ? 1 : 0;
  monitor_.observe(agrees);
  recent_.push_back(agrees);
  if (recent_.size() > recent_max) recent_.pop_front();
  if (!monitor_.alarm() || alarmed_) return std::nullopt;
  alarmed_ = true;
  const std::int64_t differ = audit_.calls - audit_.agreed;
  const auto recent = static_cast<std::int64_t>(recent_.size());
  const std::int64_t recent_differ = std::ranges::count(recent_, false);
  return Demotion{
      .at = now(),
      .task = policy_.task,
      .name = policy_.name,
      .artifact = policy_.artifact,
      .from = policy_.mode,
      .to = RouteMode::shadow,
      .audited = audit_.calls,
      .disagreements = differ,
      .recent = recent,
      .recent_disagreements = recent_differ,
      .evidence = monitor_.evidence(),
      .alpha = policy_.alpha,
      .reason = std::format(
          "{} of the last {} audited calls differ from the LLM ({} of {} in all): the promise of "
          "at most {} does not hold any more, with {} confidence",
          recent_differ, recent, differ, audit_.calls, percent(policy_.alpha),
          percent(1 - false_alarm_chance))};
}

void WatchedTask::set_drift(std::string drift) {
  if (drift.empty() || drift == drift_) return;
  drift_ = std::move(drift);
  drift_at_ = now();
}

void WatchedTask::look_at_share(const Window& now) {
  if (now.seen - share_began_.seen < share_window_calls) return;
  const quality::Proportion share{
      .successes = std::min(now.matched - share_began_.matched, now.seen - share_began_.seen),
      .trials = now.seen - share_began_.seen};
  share_began_ = now;
  const double upper = quality::interval(share, window_confidence).upper;
  if (policy_.expected_share <= share_change_min * upper) return;
  set_drift(
      std::format("its template fits {} of {} calls, {} were expected: the agents' "
                  "prompt may have changed",
                  share.successes, share.trials, percent(policy_.expected_share)));
}

void WatchedTask::look_at_coverage(const Window& now) {
  if (now.asked - coverage_began_.asked < coverage_window_calls) return;
  const quality::Proportion kept{.successes = now.kept - coverage_began_.kept,
                                 .trials = now.asked - coverage_began_.asked};
  coverage_began_ = now;
  const quality::Interval bounds = quality::interval(kept, window_confidence);
  if (policy_.expected_coverage <= 0 ||
      bounds.upper + coverage_change_min >= policy_.expected_coverage) {
    return;
  }
  set_drift(
      std::format("it is sure of {} of {} calls, {} were expected: what the calls "
                  "contain has changed",
                  kept.successes, kept.trials, percent(policy_.expected_coverage)));
}

void WatchedTask::look_at_slots(std::int64_t matched) {
  const std::int64_t calls = matched - slots_began_;
  if (slots_.empty() || calls < slots_window_calls) return;
  slots_began_ = matched;
  std::string drift;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const SlotsSeen now{
        .shorter = slots_[i].shorter, .longer = slots_[i].longer, .beyond = slots_[i].beyond};
    const SlotsSeen before = std::exchange(slots_before_[i], now);
    // Counted by other threads meanwhile: a slot may be a few calls ahead.
    const auto least = [&](std::int64_t successes) {
      return quality::interval({.successes = std::min(successes, calls), .trials = calls},
                               window_confidence)
          .lower;
    };
    const std::int64_t shorter = now.shorter - before.shorter;
    const std::int64_t longer = now.longer - before.longer;
    const std::int64_t beyond = now.beyond - before.beyond;
    const SlotLengths& expected = policy_.expected_slots[i];
    if (least(beyond) > slot_beyond_share_min) {
      drift = std::format("{} of {} values of slot {} are longer than any before ({} bytes)",
                          beyond, calls, i + 1, expected.longest);
    } else if (least(std::max(shorter, longer)) > slot_side_share + slot_side_change_min) {
      drift =
          std::format("{} of {} values of slot {} are {} than the {} bytes in the middle before",
                      std::max(shorter, longer), calls, i + 1,
                      longer > shorter ? "longer" : "shorter", expected.median);
    }
  }
  if (!drift.empty()) set_drift(drift + ": what the calls contain has changed");
}

void WatchedTask::look_for_drift(std::int64_t seen) {
  const std::scoped_lock lock(mutex_);
  seen_ = seen;
  const Window now{.seen = seen,
                   .matched = matched_,
                   .asked = asked_ + shadow_.calls,
                   .kept = accepted_ + shadow_.kept};
  look_at_share(now);
  look_at_coverage(now);
  look_at_slots(now.matched);
}

TaskWatch WatchedTask::record() const {
  const std::scoped_lock lock(mutex_);
  return {.task = policy_.task,
          .artifact = policy_.artifact,
          .decided_at = policy_.decided_at,
          .seen = seen_before_ + seen_,
          .matched = matched_,
          .asked = asked_,
          .accepted = accepted_,
          .shadow = shadow_,
          .audit = audit_,
          .monitor = to_json(monitor_),
          .drift = drift_,
          .drift_at = drift_at_,
          .saved_at = now()};
}

}  // namespace understudy::live
