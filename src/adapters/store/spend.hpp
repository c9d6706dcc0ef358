// What a virtual key has spent: in its life, this day and this month (UTC), and the file that keeps
// it over restarts: HOME/spend.json. One gateway writes it, at most once a second
// (limits::spend_write_interval_ms), so a crash forgets at most that much. Plain data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace understudy::store {

// Money adds up exactly in thousand-millionths of a dollar.
using NanoUsd = std::int64_t;
NanoUsd to_nano(MicroUsd amount);  // rounded up: what costs something never counts as free
NanoUsd usd_to_nano(double usd);
double to_usd(NanoUsd amount);

struct Spend {
  NanoUsd total = 0;
  NanoUsd day = 0;
  NanoUsd month = 0;
  std::int32_t day_number = 0;    // since 1970-01-01
  std::int32_t month_number = 0;  // since January 1970
  std::int64_t requests = 0;
  std::int64_t tokens = 0;

  void roll(UnixMicros time);  // starts a new day or month at zero
};
UnixMicros next_day(UnixMicros time);
UnixMicros next_month(UnixMicros time);

using SpendByKey = std::map<std::string, Spend>;

// No file: nothing was spent. A broken one is an error: budgets must not restart by accident.
Result<SpendByKey> load_spend(const std::filesystem::path& file);
Result<SpendByKey> parse_spend(std::string_view text);
Status save_spend(const std::filesystem::path& file, const SpendByKey& spend);
json::object to_json(const Spend& spend);

}  // namespace understudy::store
