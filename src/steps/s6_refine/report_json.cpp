#include "base/clock.hpp"
#include "steps/s6_refine/report.hpp"
#include "steps/s6_refine/report_balance.hpp"

namespace understudy::s6 {

namespace {

using economics::usd;

json::value time_or_null(UnixMicros time) {
  return time.known() ? json::value(to_iso8601(time)) : json::value(nullptr);
}

json::value to_tree(const economics::Savings& savings) {
  return json::object{{"llm_calls", savings.llm_calls},
                      {"slm_calls", savings.slm_calls},
                      {"share_of_calls", savings.share_of_calls()},
                      {"share_of_tokens", savings.share_of_tokens()},
                      {"share_of_cost", savings.share_of_cost()},
                      {"llm_cost_usd", usd(savings.llm_cost)},
                      {"llm_cost_per_call_usd", usd(savings.llm_cost_per_call())},
                      {"avoided_usd", usd(savings.avoided)},
                      {"machine_usd", usd(savings.machine_cost)},
                      {"saved_usd", usd(savings.saved())},
                      {"unpriced_calls", savings.unpriced_calls}};
}

json::value to_tree(const Latency& latency) {
  return json::object{
      {"calls", latency.calls}, {"median_ms", latency.median_ms}, {"p95_ms", latency.p95_ms}};
}

json::value to_tree(const TaskTraffic& traffic) {
  return json::object{{"calls", traffic.calls},
                      {"by_slm", traffic.by_slm},
                      {"fallbacks", traffic.fallbacks},
                      {"shadowed", traffic.shadowed},
                      {"audits", traffic.audits},
                      {"rated", traffic.rated},
                      {"success", traffic.rated > 0 ? json::value(traffic.success) : nullptr},
                      {"llm_latency", to_tree(traffic.llm)},
                      {"slm_latency", to_tree(traffic.slm)}};
}

json::value to_tree(const CacheHits& cache) {
  return json::object{
      {"calls", cache.calls},
      {"hits", cache.hits},
      {"share_of_calls",
       cache.calls == 0 ? 0 : static_cast<double>(cache.hits) / static_cast<double>(cache.calls)},
      {"share_of_tokens", cache.share_of_tokens},
      {"share_of_cost", cache.share_of_cost}};
}

json::value to_tree(const TaskReport& task) {
  return json::object{
      {"task", task.id.value},
      {"name", task.name},
      {"answer_form", to_string(task.answer_form)},
      {"served_by", task.live ? "slm" : "llm"},
      {"mode", to_string(task.mode)},
      {"watch", task.watch ? to_json(*task.watch) : nullptr},
      {"model", task.model},
      {"reason", task.reason},
      {"verdict", task.evaluation ? json::value(to_string(task.evaluation->verdict)) : nullptr},
      {"evaluation", task.evaluation ? to_json(*task.evaluation) : nullptr},
      {"traffic", to_tree(task.traffic)},
      {"savings", to_tree(task.savings)}};
}

}  // namespace

json::value to_json(const Report& report) {
  json::array tasks;
  for (const TaskReport& task : report.tasks) tasks.push_back(to_tree(task));
  json::array over_time;
  for (const TimeBucket& bucket : report.over_time) {
    over_time.push_back(json::object{{"begins_at", to_iso8601(bucket.begins_at)},
                                     {"llm_calls", bucket.by_llm},
                                     {"slm_calls", bucket.by_slm}});
  }
  json::object unpriced;
  for (const auto& [model, calls] : report.unpriced_models) unpriced[model] = calls;
  json::array prices;
  for (const economics::Price& price : report.prices) {
    prices.push_back(json::object{{"model", price.model},
                                  {"input_usd_per_million", price.input_usd_per_million},
                                  {"output_usd_per_million", price.output_usd_per_million},
                                  {"as_of", price.as_of},
                                  {"source", price.source}});
  }
  json::array demotions;
  for (const Demotion& demotion : report.demotions) demotions.push_back(to_json(demotion));
  json::array warnings;
  for (const std::string& warning : report.warnings) warnings.emplace_back(warning);
  return json::object{
      {"made_at", to_iso8601(report.made_at)},
      {"calls", report.calls},
      {"first_call", time_or_null(report.first_call)},
      {"last_call", time_or_null(report.last_call)},
      {"all", to_tree(report.all)},
      {"promoted_at", report.promoted_at ? time_or_null(*report.promoted_at) : nullptr},
      {"since_promotion", to_tree(report.since_promotion)},
      {"balance", balance_to_json(report)},
      {"cache", report.cache ? to_tree(*report.cache) : nullptr},
      {"demotions", std::move(demotions)},
      {"tasks", std::move(tasks)},
      {"unassigned", to_tree(report.unassigned)},
      {"over_time", std::move(over_time)},
      {"calls_without_usage", report.calls_without_usage},
      {"unpriced_models", std::move(unpriced)},
      {"prices", std::move(prices)},
      {"machine_usd_per_hour", report.machine_usd_per_hour},
      {"warnings", std::move(warnings)}};
}

}  // namespace understudy::s6
