// How often callers of one address sent a wrong token lately: some tries are answered and logged,
// more are not. A right token is always taken: tokens are 256 random bits, which no number of tries
// finds, and nobody can lock the admin out by trying wrong ones from the same address.
// Thread-safe; bounded: when too many addresses are known, the rest share one count.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/limits.hpp"
#include "base/minute_bucket.hpp"
#include "base/units.hpp"

namespace understudy::net {

class FailedAttempts {
 public:
  // false: too many from there; answer 429 and log nothing.
  bool count(const std::string& address, UnixMicros time) {
    const std::scoped_lock lock(mutex_);
    const bool known = buckets_.contains(address);
    if (!known && buckets_.size() >= limits::admin_addresses_max) forget_full(time);
    const bool room = known || buckets_.size() < limits::admin_addresses_max;
    return buckets_[room ? address : std::string()].take(1, limits::admin_failures_per_minute,
                                                         time);
  }

 private:
  void forget_full(UnixMicros time) {
    std::erase_if(buckets_, [time](auto& entry) {
      return entry.second.full(limits::admin_failures_per_minute, time);
    });
  }

  std::mutex mutex_;
  std::map<std::string, MinuteBucket> buckets_;
};

}  // namespace understudy::net
