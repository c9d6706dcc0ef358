#include "console/web/task_facts.hpp"

#include <filesystem>

#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"
#include "console/route_jobs.hpp"

namespace understudy::console {

namespace fs = std::filesystem;

const json::value* entry_of(const json::value& report, std::string_view task) {
  const json::array* tasks = json::find_array(report, "tasks");
  if (tasks == nullptr) return nullptr;
  for (const json::value& entry : *tasks)
    if (json::string_or(entry, "task") == task) return &entry;
  return nullptr;
}

json::object shown(const Task& task) {
  json::object tree = to_json(task).as_object();
  for (const char* name : {"lines", "profile", "template"}) tree.erase(name);
  return tree;
}

json::array route_modes() {
  json::array modes;
  for (const RouteMode mode :
       {RouteMode::off, RouteMode::shadow, RouteMode::canary, RouteMode::active})
    modes.emplace_back(to_string(mode));
  return modes;
}

Result<json::object> policies_by_task(const store::Home& home) {
  json::object out;
  const json::value policy = to_json(TRY(store::load_current_policy(home)));
  for (const json::value& entry : *json::find_array(policy, "tasks")) {
    json::object one = entry.as_object();
    one.erase("template");
    one.erase("key");
    out[json::string_or(entry, "task")] = std::move(one);
  }
  // What the gateway, or a person, has taken back since.
  if (const auto routes = show_routes(home)) {
    for (const json::value& route : *json::find_array(*routes, "routes")) {
      if (json::value* one = out.if_contains(json::string_or(route, "task"))) {
        one->as_object()["decided"] = json::string_or(route, "decided");
        one->as_object()["mode"] = json::string_or(route, "mode");
      }
    }
  }
  return out;
}

Result<json::value> list_all_tasks(const store::Home& home, Facts& facts) {
  json::object out{{"tasks", json::array()}};
  if (!fs::exists(home.metadata())) return out;
  const auto metadata = TRY(store::Metadata::open(home));
  const json::object policies = TRY(policies_by_task(home));
  const auto report = facts.report();
  json::array tasks;
  for (const Task& task : TRY(metadata.tasks())) {
    json::object one = shown(task);
    const auto* policy = policies.if_contains(task.id.value);
    one["policy"] = policy != nullptr ? *policy : json::value(nullptr);
    const auto evaluations = TRY(metadata.evaluations(task.id));
    one["evaluation"] = evaluations.empty() ? json::value(nullptr) : to_json(evaluations.front());
    one["models"] = TRY(metadata.artifacts(task.id)).size();
    const json::value* entry = report ? entry_of(**report, task.id.value) : nullptr;
    one["report"] = entry != nullptr ? *entry : json::value(nullptr);
    tasks.push_back(std::move(one));
  }
  out["tasks"] = std::move(tasks);
  return out;
}

}  // namespace understudy::console
