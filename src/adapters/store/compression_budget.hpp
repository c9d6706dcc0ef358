// How much of one core the call log spends on compression: a share of the time that passes, which
// quiet seconds save up, in pieces so small that no call waits long for the core. Calls that come
// in a flood get none: the log would hardly become smaller, and the compressor's tables would push
// out of the caches what the I/O threads need there.
// Time is an argument: whoever owns one (the log's writer thread) has the clock.
#pragma once

#include <cstdint>

namespace understudy::store {

class CompressionBudget {
 public:
  // For a group of calls of `bytes`, which came `elapsed_us` behind the group before.
  std::int64_t for_group(std::int64_t elapsed_us, std::uint64_t bytes);
  void spend(std::int64_t us) { saved_us_ -= static_cast<double>(us); }

 private:
  bool is_flood(double elapsed_us, double bytes);

  double saved_us_ = 0;
  double flood_us_ = 0;  // a bucket of what compressing everything would have taken of late
};

}  // namespace understudy::store
