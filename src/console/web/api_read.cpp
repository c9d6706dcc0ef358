// The pages' facts: overview, tasks, models, routing, settings.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "adapters/machine/machine.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "console/disagreement_jobs.hpp"
#include "console/jobs.hpp"
#include "console/refine_jobs.hpp"
#include "console/route_jobs.hpp"
#include "console/status_jobs.hpp"
#include "console/web/api.hpp"
#include "steps/s4_select/model_library.hpp"

namespace understudy::console {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t series_buckets = 160;
constexpr std::size_t curve_points_max = 400;
constexpr std::size_t curve_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t policies_shown_max = 50;
constexpr std::size_t decisions_shown_max = 60;
constexpr std::size_t examples_max = 20;
constexpr std::size_t turns_shown_max = 50;

// A part of an answer that may be missing, and why, so that the rest is shown all the same.
void put(json::object& out, std::string_view name, Result<json::value> part) {
  if (part) {
    out[name] = std::move(*part);
  } else {
    out[name] = nullptr;
    out[std::string(name) + "_problem"] =
        part.error().message + (part.error().hint.empty() ? "" : "; " + part.error().hint);
  }
}

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

const json::value* entry_of(const json::value& report, std::string_view task) {
  const json::array* tasks = json::find_array(report, "tasks");
  if (tasks == nullptr) return nullptr;
  for (const json::value& entry : *tasks)
    if (json::string_or(entry, "task") == task) return &entry;
  return nullptr;
}

// Without what only the router reads: long, and of no use to a person.
json::object shown(const Task& task) {
  json::object tree = to_json(task).as_object();
  for (const char* name : {"lines", "profile", "template"}) tree.erase(name);
  return tree;
}

// The points of a training curve, thinned out; what is half written at its end is left out.
json::array curve_of(const fs::path& file) {
  std::vector<json::value> points;
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  if (error || bytes > curve_bytes_max) return {};
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    auto point = json::parse(line);
    if (point && point->is_object()) points.push_back(std::move(*point));
  }
  json::array out;
  const std::size_t step = points.size() / curve_points_max + 1;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (i % step == 0 || i + 1 == points.size()) out.push_back(std::move(points[i]));
  return out;
}

json::value parsed_or_null(const std::string& text) {
  auto tree = json::parse(text);
  return tree ? std::move(*tree) : json::value(nullptr);
}

json::object artifact_shown(const store::Home& home, const Artifact& artifact) {
  json::object tree = to_json(artifact).as_object();
  tree["config"] = parsed_or_null(artifact.config_json);
  tree["metrics"] = parsed_or_null(artifact.metrics_json);
  const fs::path directory = home.artifacts() / artifact.id.value;
  tree["curve"] = curve_of(directory / "metrics.jsonl");
  std::int64_t bytes = 0;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(directory, error))
    if (file.is_regular_file(error)) bytes += static_cast<std::int64_t>(file.file_size(error));
  tree["bytes"] = bytes;
  return tree;
}

Result<json::array> artifacts_of(const store::Home& home, const store::Metadata& metadata,
                                 const Task& task) {
  json::array out;
  for (const Artifact& artifact : TRY(metadata.artifacts(task.id))) {
    json::object one = artifact_shown(home, artifact);
    one["task_name"] = task.name;
    out.push_back(std::move(one));
  }
  return out;
}

Result<json::array> evaluations_of(const store::Metadata& metadata, const TaskId& task) {
  json::array out;
  for (const Evaluation& evaluation : TRY(metadata.evaluations(task)))
    out.push_back(to_json(evaluation));
  return out;
}

// What a task can be switched to, by how much its small model answers.
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

Result<json::value> show_one_task(const store::Home& home, Facts& facts, const std::string& id) {
  const auto metadata = TRY(store::Metadata::open(home));
  const Task task = TRY(metadata.find_task(id));
  json::object out{{"task", shown(task)}, {"modes", route_modes()}};
  out["artifacts"] = TRY(artifacts_of(home, metadata, task));
  out["evaluations"] = TRY(evaluations_of(metadata, task.id));
  const json::object policies = TRY(policies_by_task(home));
  const auto* policy = policies.if_contains(task.id.value);
  out["policy"] = policy != nullptr ? *policy : json::value(nullptr);
  const auto report = facts.report();
  const json::value* entry = report ? entry_of(**report, task.id.value) : nullptr;
  out["report"] = entry != nullptr ? *entry : json::value(nullptr);
  return out;
}

// Workshops of trainings that are under way: artifacts/.new-ID.
json::array runs_under_way(const store::Home& home) {
  json::array out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home.artifacts(), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(".new-")) continue;
    json::array curve = curve_of(entry.path() / "metrics.jsonl");
    out.push_back(json::object{{"run", name.substr(5)}, {"curve", std::move(curve)}});
  }
  return out;
}

Result<json::value> list_artifacts(const store::Home& home) {
  json::array artifacts;
  if (fs::exists(home.metadata())) {
    const auto metadata = TRY(store::Metadata::open(home));
    std::set<std::string> live;
    for (const TaskPolicy& policy : TRY(store::load_current_policy(home)).tasks)
      if (policy.mode != RouteMode::off) live.insert(policy.artifact.value);
    for (const Task& task : TRY(metadata.tasks())) {
      const auto evaluations = TRY(metadata.evaluations(task.id));
      for (json::value& artifact : TRY(artifacts_of(home, metadata, task))) {
        json::object& one = artifact.as_object();
        const std::string id = json::string_or(artifact, "id");
        one["live"] = live.contains(id);
        one["evaluation"] = nullptr;
        const auto found = std::ranges::find_if(
            evaluations, [&](const Evaluation& e) { return e.artifact.value == id; });
        if (found != evaluations.end()) one["evaluation"] = to_json(*found);
        artifacts.push_back(std::move(artifact));
      }
    }
  }
  json::array bases;
  if (const auto library = s4::list_models(home))
    for (const s4::InstalledModel& model : library->models) bases.push_back(to_json(model));
  return json::object{{"artifacts", std::move(artifacts)},
                      {"runs", runs_under_way(home)},
                      {"bases", std::move(bases)}};
}

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
    put(out, "series", fail(log.error()));
  }
  put(out, "report", report ? Result<json::value>(**report) : fail(report.error()));
  const auto known = log ? std::optional<json::value>(out["log"]) : std::nullopt;
  put(out, "status", status(options_.home, known));
  return reply_of(std::move(out));
}

Reply ConsoleApi::tasks(const ApiRequest&) {
  return reply_of(list_all_tasks(options_.home, facts_));
}

Reply ConsoleApi::task(const ApiRequest& request) {
  return reply_of(show_one_task(options_.home, facts_, request.captured[0]));
}

Reply ConsoleApi::candidates(const ApiRequest& request) {
  return reply_of(select_candidates(options_.home, request.captured[0]));
}

Reply ConsoleApi::examples(const ApiRequest& request) {
  const auto count = request.target.count_or("count", 5, examples_max);
  if (!count) return failure(count.error());
  auto shown_task = show_task(options_.home, request.captured[0], *count);
  if (!shown_task) return failure(shown_task.error());
  return reply_of(json::object{{"examples", shown_task->as_object()["examples"]}});
}

Reply ConsoleApi::disagreements(const ApiRequest& request) {
  // One at a time: each keeps a worker busy for seconds, and there are few.
  const std::unique_lock lock(asking_, std::try_to_lock);
  if (!lock) {
    return failure({.code = ErrorCode::unavailable,
                    .message = "a model is being asked for somebody already",
                    .hint = "try again in some seconds"});
  }
  return reply_of(show_disagreements(options_.home, request.captured[0]));
}

Reply ConsoleApi::models(const ApiRequest&) { return reply_of(list_artifacts(options_.home)); }

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
  put(out, "known", list_all_tasks(options_.home, facts_));
  return reply_of(std::move(out));
}

Reply ConsoleApi::loop(const ApiRequest&) {
  json::object out{{"daemon", options_.refine != nullptr ? options_.refine->state() : nullptr},
                   {"turns", json::array()}};
  if (!fs::exists(options_.home.metadata())) return reply_of(std::move(out));
  auto turns = list_refinements(options_.home);
  if (!turns) return failure(turns.error());
  json::array& listed = turns->as_array();
  if (listed.size() > turns_shown_max) listed.resize(turns_shown_max);
  out["turns"] = std::move(listed);
  return reply_of(std::move(out));
}

Reply ConsoleApi::settings(const ApiRequest&) {
  json::object out{{"home", options_.home.directory().string()}, {"version", options_.version}};
  if (const auto machine = machine::read_machine()) {
    out["machine"] = json::object{{"cores", machine->cores},
                                  {"memory_bytes", machine->memory_bytes},
                                  {"memory_available_bytes", machine->memory_available_bytes}};
  }
  const auto dataset = store::current_dataset(options_.home);
  out["dataset"] = dataset ? json::value(dataset->value) : json::value(nullptr);
  put(out, "manifest",
      dataset ? store::read_manifest(options_.home, *dataset) : Result<json::value>(nullptr));
  out["gateway"] = options_.describe_gateway ? options_.describe_gateway() : nullptr;
  if (const auto prices = economics::PriceTable::load(options_.home.directory() / "prices.toml")) {
    json::array listed;
    for (const economics::Price& price : prices->prices()) {
      listed.push_back(json::object{{"model", price.model},
                                    {"input_usd_per_million", price.input_usd_per_million},
                                    {"output_usd_per_million", price.output_usd_per_million},
                                    {"as_of", price.as_of},
                                    {"source", price.source}});
    }
    out["prices"] = std::move(listed);
    out["machine_usd_per_hour"] = prices->machine_usd_per_hour();
  } else {
    out["prices_problem"] = prices.error().message;
  }
  return reply_of(std::move(out));
}

}  // namespace understudy::console
