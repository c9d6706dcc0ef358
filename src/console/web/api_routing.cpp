// Who answers which task, what was decided lately, and what the policy was before.
#include <map>

#include "adapters/store/policy_store.hpp"
#include "base/clock.hpp"
#include "console/route_jobs.hpp"
#include "console/web/api.hpp"
#include "console/web/task_facts.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t policies_shown_max = 50;
constexpr std::size_t decisions_shown_max = 60;

json::array policy_history(const store::Home& home, std::int64_t current) {
  json::array out;
  for (std::int64_t version = current; version >= 1 && out.size() < policies_shown_max; --version) {
    const auto policy = store::load_policy(home, version);
    if (!policy) {
      out.push_back(json::object{{"version", version}, {"problem", policy.error().message}});
      continue;
    }
    out.push_back(json::object{{"version", version},
                               {"made_at", to_iso8601(policy->made_at)},
                               {"reason", policy->reason}});
  }
  return out;
}

// The last calls that some task claimed, and how often each reason was given for each task.
void put_decisions(json::object& out, const LogFacts& log) {
  json::array recent;
  std::map<std::string, std::map<std::string, std::int64_t>> reasons;
  for (auto call = log.calls.rbegin(); call != log.calls.rend(); ++call) {
    if (call->route.task.empty()) continue;
    ++reasons[call->route.task][call->route.reason];
    if (recent.size() == decisions_shown_max) continue;
    recent.push_back(json::object{{"call", call->id.value},
                                  {"at", to_iso8601(call->started_at)},
                                  {"task", call->route.task},
                                  {"server", to_string(call->route.server)},
                                  {"reason", call->route.reason},
                                  {"confidence", call->route.confidence},
                                  {"latency_ms", static_cast<double>(call->latency_us()) / 1e3}});
  }
  json::object by_task;
  for (const auto& [task, counts] : reasons) {
    json::object one;
    for (const auto& [reason, calls] : counts) one[reason] = calls;
    by_task[task] = std::move(one);
  }
  out["decisions"] = std::move(recent);
  out["reasons"] = std::move(by_task);
}

}  // namespace

Reply ConsoleApi::routing(const ApiRequest&) {
  auto policies = policies_by_task(options_.home);
  if (!policies) return failure(policies.error());
  const auto version = store::current_policy_version(options_.home).value_or(0);
  json::array tasks;
  for (auto& entry : *policies) tasks.push_back(entry.value());
  json::object out{
      {"version", version},         {"modes", route_modes()},
      {"routes", json::array()},    {"demotions", json::array()},
      {"tasks", std::move(tasks)},  {"history", policy_history(options_.home, version)},
      {"decisions", json::array()}, {"reasons", json::object()}};
  if (auto routes = show_routes(options_.home)) {
    for (const char* name : {"routes", "demotions"})
      if (const json::array* found = json::find_array(*routes, name)) out[name] = *found;
  }
  for (const char* name : {"routes", "demotions"})
    if (!out.contains(name)) out[name] = json::array();
  if (const auto log = facts_.log()) put_decisions(out, **log);
  put_or_problem(out, "known", list_all_tasks(options_.home, facts_));
  return reply_of(std::move(out));
}

}  // namespace understudy::console
