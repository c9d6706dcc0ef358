// When a failed attempt may be made again: how often, after which pause, and within which budget.
// A budget keeps retries from multiplying the load of an upstream that is down already: each call
// earns a share of one retry. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/units.hpp"
#include "live/config/gateway_config.hpp"

namespace understudy::live {

class RetryBudget {
 public:
  explicit RetryBudget(double ratio);

  void earn();                 // one call was made
  [[nodiscard]] bool spend();  // false: no retry now

 private:
  std::int64_t earned_;  // thousandths of a retry per call
  std::atomic<std::int64_t> balance_;
};

// Before retry number `retry` (from 1): between half of and the whole backoff * 2^(retry - 1), by
// `random` in [0, 1), so that callers that failed together do not come back together.
std::chrono::milliseconds backoff_of(const RetryConfig& config, int retry, double random);

// Retry-After as seconds or as an HTTP date (RFC 9110, 10.2.3). Nothing for what is neither.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, UnixMicros now);
// "retry-after-ms", which OpenAI's SDKs prefer where it is there.
std::optional<std::chrono::milliseconds> parse_retry_after_ms(std::string_view value);

}  // namespace understudy::live
