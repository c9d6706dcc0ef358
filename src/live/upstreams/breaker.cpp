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

void Breaker::start_window(Clock::time_point now) {
  window_start_ = now;
  failures_ = calls_ = 0;
}

void Breaker::succeed(Clock::time_point now, bool is_probe) {
  const auto lock = short_lock(mutex_);
  if (open_) {
    // A call from before it opened says nothing new; the probe does.
    if (!is_probe) return;
    open_ = probing_ = false;
    start_window(now);
    return;
  }
  if (now - window_start_ > config_.window) start_window(now);
  ++calls_;
}

void Breaker::fail(Clock::time_point now, bool is_probe) {
  const auto lock = short_lock(mutex_);
  if (open_) {
    if (!is_probe) return;
    probing_ = false;
    open_until_ = now + config_.open;
    return;
  }
  if (now - window_start_ > config_.window) start_window(now);
  ++calls_;
  ++failures_;
  if (config_.failures == 0 || failures_ < config_.failures || 2 * failures_ < calls_) return;
  open_ = true;
  open_until_ = now + config_.open;
}

void Breaker::release() {
  const auto lock = short_lock(mutex_);
  probing_ = false;
}

}  // namespace understudy::live
