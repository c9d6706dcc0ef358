// A limit per minute as a token bucket: it holds a minute's worth, and refills evenly. Costs two
// numbers a key, and a caller that waits as long as it is told to gets through.
// Not thread-safe: it lies under its key's lock.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/units.hpp"

namespace understudy {

class MinuteBucket {
 public:
  // Takes `amount` if it is there. `capacity` is the limit per minute, which may change in between.
  bool take(std::int64_t amount, std::int64_t capacity, UnixMicros time) {
    refill(capacity, time);
    if (level_ < static_cast<double>(amount)) return false;
    level_ -= static_cast<double>(amount);
    return true;
  }
  // What was taken too much comes back; too little (negative) goes off, below zero if need be.
  void give_back(std::int64_t amount) { level_ += static_cast<double>(amount); }

  [[nodiscard]] bool full(std::int64_t capacity, UnixMicros time) {
    refill(capacity, time);
    return level_ >= static_cast<double>(capacity);
  }

  // After a take() at the same time:
  [[nodiscard]] std::int64_t remaining() const {
    return level_ < 0 ? 0 : static_cast<std::int64_t>(level_);
  }
  [[nodiscard]] std::int64_t us_until(std::int64_t amount, std::int64_t capacity) const {
    const double missing = static_cast<double>(amount) - level_;
    if (missing <= 0) return 0;
    return static_cast<std::int64_t>(
        std::ceil(missing * minute_us / static_cast<double>(capacity)));
  }

 private:
  static constexpr double minute_us = 60e6;

  void refill(std::int64_t capacity, UnixMicros time) {
    const auto full = static_cast<double>(capacity);
    if (!started_) {
      level_ = full;
      started_ = true;
    } else if (time > refilled_at_) {
      level_ += static_cast<double>(time.value - refilled_at_.value) * full / minute_us;
    }  // a clock that went back refills nothing
    level_ = std::min(level_, full);
    refilled_at_ = time;
  }

  double level_ = 0;
  UnixMicros refilled_at_;
  bool started_ = false;
};

}  // namespace understudy
