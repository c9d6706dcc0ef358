#include "live/upstreams/breaker.hpp"

#include "base/short_lock.hpp"

namespace understudy::live {

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::closed: return "closed";
    case BreakerState::open: return "open";
    case BreakerState::half_open: return "half_open";
  }
  return "closed";
}

std::optional<Breaker::Permit> Breaker::admit(Clock::time_point now) {
  if (!open_) return Permit(this, false);
  const auto lock = short_lock(mutex_);
  if (open_) {
    if (probing_ || now < open_until_) return std::nullopt;
    probing_ = true;
  }
  return Permit(this, open_);
}

BreakerState Breaker::state(Clock::time_point now) const {
  const auto lock = short_lock(mutex_);
  if (!open_) return BreakerState::closed;
  return probing_ || now >= open_until_ ? BreakerState::half_open : BreakerState::open;
}

std::chrono::milliseconds Breaker::opens_in(Clock::time_point now) const {
  const auto lock = short_lock(mutex_);
  if (!open_ || now >= open_until_) return std::chrono::milliseconds(0);
  return std::chrono::ceil<std::chrono::milliseconds>(open_until_ - now);
}

void Breaker::keep_window(Clock::time_point now) {
  if (now <= window_end_.load()) return;
  window_end_ = now + config_.window;
  ++window_;
  failures_ = 0;
}

std::int64_t Breaker::successes() {
  std::int64_t sum = 0;
  successes_.each([&](const Successes& of_thread) {
    if (of_thread.window == window_) sum += of_thread.count;
  });
  return sum;
}

void Breaker::succeed(Clock::time_point now, bool is_probe) {
  if (open_) {
    // A call from before it opened says nothing new; the probe does.
    if (!is_probe) return;
    const auto lock = short_lock(mutex_);
    open_ = probing_ = false;
    window_end_ = Clock::time_point::min();
    return keep_window(now);
  }
  if (now > window_end_.load()) {
    const auto lock = short_lock(mutex_);
    keep_window(now);
  }
  Successes& own = successes_.own();
  const std::uint64_t window = window_.load(std::memory_order_relaxed);
  if (own.window.load(std::memory_order_relaxed) != window) {
    own.count = 0;
    own.window = window;
  }
  own.count.fetch_add(1, std::memory_order_relaxed);
}

void Breaker::fail(Clock::time_point now, bool is_probe) {
  const auto lock = short_lock(mutex_);
  if (open_) {
    if (!is_probe) return;
    probing_ = false;
    open_until_ = now + config_.open;
    return;
  }
  keep_window(now);
  ++failures_;
  const bool enough = config_.failures > 0 && failures_ >= config_.failures;
  if (!enough || failures_ < successes()) return;
  open_ = true;
  open_until_ = now + config_.open;
}

void Breaker::release() {
  const auto lock = short_lock(mutex_);
  probing_ = false;
}

}  // namespace understudy::live
