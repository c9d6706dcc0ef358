// What was recorded and saved, over time; whose token this is.
#include "base/clock.hpp"
#include "console/status_jobs.hpp"
#include "console/web/api.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t series_buckets = 96;

// What one call of each task saves when its small model answers.
TrafficSeries::SavedPerCall saved_per_call(const json::value& report) {
  TrafficSeries::SavedPerCall saved;
  const json::array* tasks = json::find_array(report, "tasks");
  if (tasks == nullptr) return saved;
  for (const json::value& task : *tasks) {
    const json::value* savings = json::find(task, "savings");
    if (savings == nullptr) continue;
    const auto calls = json::find_integer(*savings, "slm_calls").value_or(0);
    if (calls > 0) {
      saved[json::string_or(task, "task")] =
          json::find_number(*savings, "saved_usd").value_or(0) / static_cast<double>(calls);
    }
  }
  return saved;
}

}  // namespace

Reply ConsoleApi::me(const ApiRequest& request) {
  json::array roles;
  for (const std::string_view role : request.who.roles.names()) roles.emplace_back(role);
  return reply_of(json::object{{"name", request.who.name},
                               {"roles", std::move(roles)},
                               {"version", options_.version},
                               {"home", options_.home.directory().string()}});
}

Reply ConsoleApi::overview(const ApiRequest& request) {
  const auto seconds = request.target.count_or("seconds", 0, 10'000'000'000);
  if (!seconds) return failure(seconds.error());
  json::object out;
  const auto report = facts_.report();
  const auto log = facts_.log();
  if (log) {
    UnixMicros since;
    if (*seconds > 0) since.value = now().value - static_cast<std::int64_t>(*seconds) * 1'000'000;
    out["series"] = (*log)->series.to_json(
        since, series_buckets, report ? saved_per_call(**report) : TrafficSeries::SavedPerCall{});
    out["log"] = json::object{
        {"calls", (*log)->calls_all}, {"bytes", (*log)->bytes}, {"segments", (*log)->segments}};
    json::array warnings;
    for (const std::string& warning : (*log)->warnings) warnings.emplace_back(warning);
    out["warnings"] = std::move(warnings);
  } else {
    put_or_problem(out, "series", fail(log.error()));
  }
  put_or_problem(out, "report", report ? Result<json::value>(**report) : fail(report.error()));
  const auto known = log ? std::optional<json::value>(out["log"]) : std::nullopt;
  put_or_problem(out, "status", status(options_.home, known));
  return reply_of(std::move(out));
}

}  // namespace understudy::console
