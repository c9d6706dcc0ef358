#include "adapters/store/compression_budget.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace understudy::store {

namespace {

constexpr double saved_us_max = limits::log_compression_saved_us_max;
constexpr double group_us_max = 200;             // a call may wait for this core
constexpr double compressed_bytes_per_us = 150;  // about, on one core
constexpr double compressed_share_min = 0.1;     // of what comes; below, nothing is

}  // namespace

std::int64_t CompressionBudget::for_group(std::int64_t elapsed_us, std::uint64_t bytes) {
  const auto elapsed = static_cast<double>(elapsed_us);
  saved_us_ = std::min(saved_us_ + elapsed * limits::log_compression_share, saved_us_max);
  if (is_flood(elapsed, static_cast<double>(bytes))) return 0;
  return static_cast<std::int64_t>(std::clamp(saved_us_, 0.0, group_us_max));
}

// Whether more comes than ten times what the budget can do. Half a second behind its end, a flood
// is forgotten.
bool CompressionBudget::is_flood(double elapsed_us, double bytes) {
  constexpr double drained_share = limits::log_compression_share / compressed_share_min;
  flood_us_ = std::max(flood_us_ - elapsed_us * drained_share, 0.0);
  const bool is_full = flood_us_ > saved_us_max;
  flood_us_ = std::min(flood_us_ + bytes / compressed_bytes_per_us, 2 * saved_us_max);
  return is_full;
}

}  // namespace understudy::store
