// Wall-clock time as UnixMicros, and its ISO 8601 text form (UTC, or with an offset when parsed).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace understudy {

UnixMicros now();
std::string to_iso8601(UnixMicros time);  // 2026-11-24T01:47:18.123456Z
// Accepts "YYYY-MM-DD[T ]hh:mm:ss[.frac][Z|+hh:mm]"; without an offset the time is taken as UTC.
std::optional<UnixMicros> parse_iso8601(std::string_view text);

// Elapsed time of one piece of work, from the monotonic clock.
class Stopwatch {
 public:
  Stopwatch();
  [[nodiscard]] std::int64_t elapsed_ns() const;
  [[nodiscard]] std::int64_t elapsed_us() const;
  [[nodiscard]] double elapsed_s() const;

 private:
  std::int64_t started_ns_;
};

}  // namespace understudy
