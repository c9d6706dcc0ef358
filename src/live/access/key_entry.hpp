// One virtual key with its counters, and the decision of its limits. Private to live/access.
// The key is immutable; the counters are shared by all versions of the list that name it, under a
// lock that is held for a few dozen nanoseconds.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "adapters/store/spend.hpp"
#include "base/json.hpp"
#include "base/minute_bucket.hpp"
#include "live/access/access.hpp"
#include "records/access.hpp"

namespace understudy::live {

struct KeyCounters {
  std::mutex mutex;
  MinuteBucket requests;
  MinuteBucket tokens;
  store::Spend spend;
  NanoUsd reserved = 0;  // by calls that are not over
};

struct Reservation {
  std::int64_t tokens = 0;
  NanoUsd nano = 0;
};

struct Demand {
  std::string_view model;
  std::int64_t tokens = 0;
  std::optional<MicroUsd> cost;  // nothing: the model has no price
};

struct KeyEntry {
  KeyEntry(VirtualKey described, std::shared_ptr<KeyCounters> shared)
      : key(std::move(described)), counters(std::move(shared)) {}

  VirtualKey key;
  std::shared_ptr<KeyCounters> counters;

  [[nodiscard]] bool has_money_limit() const;
  // Takes what the call may need, or says in `decision` why not. Fills its rate states.
  Reservation reserve(const Demand& demand, UnixMicros time, AccessDecision& decision) const;
  void release(const Reservation& reservation) const;
  void settle(const Reservation& reserved, const Reservation& used, UnixMicros time) const;
  [[nodiscard]] json::value describe(UnixMicros time) const;

 private:
  [[nodiscard]] std::optional<Refusal> money_refusal(NanoUsd more, UnixMicros time) const;
};

}  // namespace understudy::live
