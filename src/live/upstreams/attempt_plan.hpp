// Which upstream a call tries next, and how long it waits before: the one with the fewest tries in
// this call that is not behind an open breaker, in the order of preference; one that told another
// call to wait comes after its equals.
// One plan per call, one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "live/upstreams/breaker.hpp"
#include "live/upstreams/retry.hpp"
#include "live/upstreams/upstream_set.hpp"

namespace understudy::live {

struct NextAttempt {
  enum class Kind {
    go,    // now, with this target
    wait,  // for `pause`, then ask again
    stop,  // no attempt left, no budget, or nobody comes back soon enough
  };
  Kind kind = Kind::stop;
  const Target* target = nullptr;
  std::optional<Breaker::Permit> permit;
  std::chrono::milliseconds pause{0};  // stop: until somebody may take calls again
};

class AttemptPlan {
 public:
  using Clock = Breaker::Clock;

  AttemptPlan(std::vector<Target> targets, const RetryConfig& config, RetryBudget& budget);

  NextAttempt next(Clock::time_point now, double random);
  // After a context-length error: another model's targets, untried.
  void replace(std::vector<Target> targets);
  // What an upstream's Retry-After asks of this call.
  void delay(const Target& target, std::chrono::milliseconds time, Clock::time_point now);
  // `target` will not help (its account is the trouble): leave it out.
  void exclude(const Target& target);
  [[nodiscard]] int attempts() const { return attempts_; }
  // Whether any target but those excluded is left that was not tried.
  [[nodiscard]] bool has_untried() const;

 private:
  struct Entry {
    Target target;
    int tries = 0;
    bool excluded = false;
    Clock::time_point not_before{};  // backoff after its own failure, Retry-After
  };
  std::vector<Entry*> in_order(Clock::time_point now);

  const RetryConfig& config_;
  RetryBudget& budget_;
  std::vector<Entry> entries_;
  int attempts_ = 0;
  bool paid_ = false;  // the retry that is being waited for
};

}  // namespace understudy::live
