#include "adapters/store/spend.hpp"

#include <chrono>
#include <cmath>

#include "base/files.hpp"
#include "base/limits.hpp"

namespace understudy::store {

namespace {

constexpr double nano_per_usd = 1e9;
constexpr double nano_per_micro = 1e3;
constexpr double nano_max = limits::limit_usd_max * nano_per_usd;

NanoUsd clamp_nano(double nano) {
  if (!(nano > 0)) return 0;  // also what is not a number
  return static_cast<NanoUsd>(std::min(nano, nano_max));
}

std::chrono::sys_days day_of(UnixMicros time) {
  return std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(time.value)));
}

UnixMicros start_of(std::chrono::sys_days day) {
  return {std::chrono::duration_cast<std::chrono::microseconds>(day.time_since_epoch()).count()};
}

std::int32_t month_number(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return (static_cast<int>(date.year()) - 1970) * 12 +
         static_cast<std::int32_t>(static_cast<unsigned>(date.month())) - 1;
}

Result<std::int64_t> take(const json::value& tree, std::string_view key, std::int64_t most) {
  const auto found = json::find_integer(tree, key);
  if (!found || *found < 0 || *found > most)
    return fail(ErrorCode::corrupt, "\"" + std::string(key) + "\" is missing or out of range");
  return *found;
}

Result<Spend> spend_from_json(const json::value& tree) {
  constexpr std::int64_t numbers_max = 10'000'000;  // of days: year 29,000
  constexpr auto amount_max = static_cast<std::int64_t>(nano_max);
  Spend spend;
  spend.total = TRY(take(tree, "total_nano_usd", amount_max));
  spend.day = TRY(take(tree, "day_nano_usd", amount_max));
  spend.month = TRY(take(tree, "month_nano_usd", amount_max));
  spend.day_number = static_cast<std::int32_t>(TRY(take(tree, "day", numbers_max)));
  spend.month_number = static_cast<std::int32_t>(TRY(take(tree, "month", numbers_max)));
  spend.requests = TRY(take(tree, "requests", INT64_MAX));
  spend.tokens = TRY(take(tree, "tokens", INT64_MAX));
  return spend;
}

}  // namespace

NanoUsd to_nano(MicroUsd amount) { return clamp_nano(std::ceil(amount.value * nano_per_micro)); }
NanoUsd usd_to_nano(double usd) { return clamp_nano(std::round(usd * nano_per_usd)); }
double to_usd(NanoUsd amount) { return static_cast<double>(amount) / nano_per_usd; }

void Spend::roll(UnixMicros time) {
  const auto today = day_of(time);
  const auto number = static_cast<std::int32_t>(today.time_since_epoch().count());
  if (number == day_number) return;
  day_number = number;
  day = 0;
  if (const std::int32_t this_month = store::month_number(today); this_month != month_number) {
    month_number = this_month;
    month = 0;
  }
}

UnixMicros next_day(UnixMicros time) { return start_of(day_of(time) + std::chrono::days(1)); }

UnixMicros next_month(UnixMicros time) {
  const std::chrono::year_month_day date(day_of(time));
  return start_of(std::chrono::sys_days((date.year() / date.month() + std::chrono::months(1)) / 1));
}

Result<SpendByKey> parse_spend(std::string_view text) {
  const json::value tree = TRY(json::parse(text));
  const json::object* keys = json::find_object(tree, "keys");
  if (keys == nullptr) return fail(ErrorCode::corrupt, "there are no \"keys\"");
  SpendByKey spend;
  for (const auto& entry : *keys) {
    auto one = spend_from_json(entry.value());
    if (!one) return fail(one.error().within(std::string(entry.key())));
    spend.emplace(entry.key(), *one);
  }
  return spend;
}

Result<SpendByKey> load_spend(const std::filesystem::path& file) {
  auto text = read_file(file);
  if (!text && text.error().code == ErrorCode::not_found) return SpendByKey{};
  if (!text) return fail(std::move(text).error());
  auto spend = parse_spend(*text);
  if (!spend) {
    return fail(ErrorCode::corrupt, file.string() + ": " + spend.error().message,
                "restore it from a copy; or remove it, and every budget starts at zero");
  }
  return spend;
}

json::object to_json(const Spend& spend) {
  return {{"total_nano_usd", spend.total}, {"day_nano_usd", spend.day},
          {"month_nano_usd", spend.month}, {"day", spend.day_number},
          {"month", spend.month_number},   {"requests", spend.requests},
          {"tokens", spend.tokens}};
}

Status save_spend(const std::filesystem::path& file, const SpendByKey& spend) {
  json::object keys;
  for (const auto& [name, one] : spend) keys[name] = to_json(one);
  return write_file_atomically(file, json::to_text(json::object{{"keys", std::move(keys)}}) + "\n",
                               FileMode::owner_only);
}

}  // namespace understudy::store
