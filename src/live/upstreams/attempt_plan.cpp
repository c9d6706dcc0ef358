#include "live/upstreams/attempt_plan.hpp"

#include <algorithm>
#include <utility>

namespace understudy::live {

AttemptPlan::AttemptPlan(std::vector<Target> targets, const RetryConfig& config,
                         RetryBudget& budget)
    : config_(config), budget_(budget) {
  replace(std::move(targets));
  budget_.earn();
}

void AttemptPlan::replace(std::vector<Target> targets) {
  entries_.clear();
  entries_.reserve(targets.size());
  for (const Target& target : targets) entries_.push_back({.target = target});
}

void AttemptPlan::exclude(const Target& target) {
  for (Entry& entry : entries_) {
    if (entry.target.upstream == target.upstream) entry.excluded = true;
  }
}

bool AttemptPlan::has_untried() const {
  return std::ranges::any_of(
      entries_, [](const Entry& entry) { return !entry.excluded && entry.tries == 0; });
}

void AttemptPlan::delay(const Target& target, std::chrono::milliseconds time,
                        Clock::time_point now) {
  for (Entry& entry : entries_) {
    if (entry.target.upstream == target.upstream)
      entry.not_before = std::max(entry.not_before, now + time);
  }
}

// Fewest tries first; among equals, one that nobody was told to leave alone.
std::vector<AttemptPlan::Entry*> AttemptPlan::in_order(Clock::time_point now) {
  std::vector<Entry*> order;
  order.reserve(entries_.size());
  for (Entry& entry : entries_) {
    if (!entry.excluded) order.push_back(&entry);
  }
  if (order.size() == 1) return order;
  std::ranges::stable_sort(order, {}, [now](const Entry* entry) {
    return std::pair(entry->tries, entry->target.upstream->cools(entry->target.model, now));
  });
  return order;
}

NextAttempt AttemptPlan::next(Clock::time_point now, double random) {
  NextAttempt result;
  if (attempts_ >= config_.attempts_max) return result;
  std::chrono::milliseconds soonest = std::chrono::milliseconds::max();
  for (Entry* entry : in_order(now)) {
    NamedUpstream& upstream = *entry->target.upstream;
    // Nobody waits for a breaker: an upstream that is down is said to be down at once.
    if (const auto opens_in = upstream.breaker.opens_in(now); opens_in.count() > 0) {
      result.pause = result.pause.count() == 0 ? opens_in : std::min(result.pause, opens_in);
      continue;
    }
    if (entry->not_before > now) {
      soonest =
          std::min(soonest, std::chrono::ceil<std::chrono::milliseconds>(entry->not_before - now));
      continue;
    }
    // A try elsewhere is free; one more at the same upstream has to be paid for.
    if (entry->tries > 0 && !paid_ && !budget_.spend()) continue;
    auto permit = upstream.breaker.admit(now);
    if (!permit) continue;  // half open, and somebody else's probe is under way
    paid_ = false;
    ++attempts_;
    ++entry->tries;
    entry->not_before = now + backoff_of(config_, entry->tries, random);
    result.kind = NextAttempt::Kind::go;
    result.target = &entry->target;
    result.permit.emplace(std::move(*permit));
    return result;
  }
  if (soonest == std::chrono::milliseconds::max()) return result;
  result.pause = soonest;
  if (soonest > config_.retry_after_max) return result;
  if (!paid_ && !budget_.spend()) return result;
  paid_ = true;
  result.kind = NextAttempt::Kind::wait;
  return result;
}

}  // namespace understudy::live
