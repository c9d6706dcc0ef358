// A circuit breaker for one upstream: after enough failures in a window no call goes there for a
// while; then one probe at a time decides. Only what the upstream itself did wrong counts: an
// answer that the caller's request deserved, or a caller that went away, is no failure. Owner: the
// upstream that it guards. Thread-safe; time comes from outside.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "base/read_mostly.hpp"
#include "live/config/gateway_config.hpp"

namespace understudy::live {

enum class BreakerState { closed, open, half_open };
std::string_view to_string(BreakerState state);

class Breaker {
 public:
  using Clock = std::chrono::steady_clock;

  // Leave to make one call. Say how it ended; a permit that dies without a word counts as neither.
  class Permit {
   public:
    Permit(Permit&& other) noexcept
        : breaker_(std::exchange(other.breaker_, nullptr)), is_probe_(other.is_probe_) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (breaker_ != nullptr && is_probe_) breaker_->release();
    }
    void succeeded(Clock::time_point now) {
      std::exchange(breaker_, nullptr)->succeed(now, is_probe_);
    }
    void failed(Clock::time_point now) { std::exchange(breaker_, nullptr)->fail(now, is_probe_); }
    [[nodiscard]] bool is_probe() const { return is_probe_; }
    // The verdict may be given once: the callers' paths meet in one place.
    [[nodiscard]] bool undecided() const { return breaker_ != nullptr; }

   private:
    friend class Breaker;
    Permit(Breaker* breaker, bool is_probe) : breaker_(breaker), is_probe_(is_probe) {}
    Breaker* breaker_;
    bool is_probe_;
  };

  explicit Breaker(BreakerConfig config) : config_(config) {}

  // Nothing while it is open, or half open with a probe under way.
  [[nodiscard]] std::optional<Permit> admit(Clock::time_point now);
  [[nodiscard]] BreakerState state(Clock::time_point now) const;
  // Until a probe may go; zero where one may go now.
  [[nodiscard]] std::chrono::milliseconds opens_in(Clock::time_point now) const;

 private:
  void succeed(Clock::time_point now, bool is_probe);
  void fail(Clock::time_point now, bool is_probe);
  void release();  // the probe
  // Starts the next one where this one is over. The caller holds the lock.
  void keep_window(Clock::time_point now);
  [[nodiscard]] std::int64_t successes();  // in this window; the caller holds the lock

  // Of one thread: successes cost it nothing that others would have to wait for.
  struct Successes {
    std::atomic<std::uint64_t> window = 0;  // which they were counted in
    std::atomic<std::int64_t> count = 0;
  };

  BreakerConfig config_;
  mutable std::mutex mutex_;
  std::atomic<bool> open_ = false;  // changed under the lock, as the windows are
  bool probing_ = false;
  int failures_ = 0;  // in this window
  std::atomic<std::uint64_t> window_ = 0;
  std::atomic<Clock::time_point> window_end_{Clock::time_point::min()};
  Clock::time_point open_until_{};
  PerThread<Successes> successes_;
};

}  // namespace understudy::live
