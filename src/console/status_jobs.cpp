#include "console/status_jobs.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"
#include "adapters/store/watch_store.hpp"
#include "console/log_jobs.hpp"
#include "console/route_jobs.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t tasks_advised_max = 3;  // the largest ones first

// How far a task has come.
struct TaskState {
  Task task;
  RouteMode mode = RouteMode::off;  // under the vetoes
  bool has_model = false;
  std::optional<Evaluation> evaluation = {};  // the newest
};

json::object to_json(const TaskState& state) {
  json::object out{{"id", state.task.id.value},
                   {"name", state.task.name},
                   {"calls", state.task.statistics.calls},
                   {"share_of_calls", state.task.statistics.share_of_calls},
                   {"served_by", state.mode > RouteMode::shadow ? "small model" : "LLM"},
                   {"mode", to_string(state.mode)},
                   {"has_model", state.has_model},
                   {"verdict", nullptr}};
  if (state.evaluation) {
    out["verdict"] = to_string(state.evaluation->verdict);
    out["calls_needed"] = state.evaluation->calls_needed;
  }
  return out;
}

// The next step for one task; empty where there is none to take.
std::string next_step(const TaskState& state) {
  const std::string& id = state.task.id.value;
  if (state.mode > RouteMode::shadow) return {};
  if (!state.has_model) {
    return "understudy select " + id + "    which models could take \"" + state.task.name +
           "\", then `understudy tune`";
  }
  if (!state.evaluation) return "understudy evaluate " + id + "    prove its model on unseen calls";
  switch (state.evaluation->verdict) {
    case Verdict::convert: return "understudy promote " + id + "    its model is proven";
    case Verdict::needs_more_data:
      return "record " + std::to_string(state.evaluation->calls_needed) + " more calls of \"" +
             state.task.name + "\": too few to prove its model on";
    case Verdict::keep_llm: return {};
  }
  return {};
}

Result<std::vector<TaskState>> task_states(const store::Home& home) {
  std::vector<TaskState> states;
  if (!std::filesystem::exists(home.metadata())) return states;
  const auto metadata = TRY(store::Metadata::open(home));
  std::map<TaskId, RouteMode> modes;
  const RoutingPolicy routing = TRY(store::load_current_policy(home));
  const auto vetoes = TRY(store::load_vetoes(home));
  for (const TaskPolicy& policy : routing.tasks)
    modes[policy.task] = mode_in_force(policy, routing, vetoes).mode;
  for (Task& task : TRY(metadata.tasks())) {
    TaskState state{.task = std::move(task)};
    const auto mode = modes.find(state.task.id);
    if (mode != modes.end()) state.mode = mode->second;
    state.has_model = !TRY(metadata.artifacts(state.task.id)).empty();
    auto evaluations = TRY(metadata.evaluations(state.task.id));
    if (!evaluations.empty()) state.evaluation = std::move(evaluations.front());
    states.push_back(std::move(state));
  }
  return states;
}

enum class Recorded { nothing, failed_calls, calls };

Recorded recorded(const json::value& log) {
  const std::int64_t calls = json::find_integer(log, "calls").value_or(0);
  if (calls == 0) return Recorded::nothing;
  return json::find_integer(log, "not_ok").value_or(0) == calls ? Recorded::failed_calls
                                                                : Recorded::calls;
}

json::array next_steps(const store::Home& home, Recorded recorded, bool has_dataset,
                       const std::vector<TaskState>& states) {
  if (!std::filesystem::exists(home.keys() / "curator.pub"))
    return {"understudy init    asks for the LLM's address, writes understudy.toml, makes the keys",
            "understudy keys init    or the keys of the roles alone"};
  if (recorded == Recorded::nothing) {
    const bool configured = std::filesystem::exists(home.directory() / "understudy.toml");
    return {configured ? "understudy up    and point the agent's base_url at the gateway"
                       : "understudy init    asks for the LLM's address, then `understudy up`",
            "understudy import FILE    or read recorded calls"};
  }
  if (recorded == Recorded::failed_calls)
    return {"understudy doctor    no call was answered yet: it looks for what is in the way"};
  if (!has_dataset) return {"understudy curate    clean examples from the recorded calls"};
  if (states.empty()) return {"understudy cluster    find the tasks that recur"};
  json::array steps;
  for (const TaskState& state : states) {
    if (steps.size() == tasks_advised_max) break;
    if (std::string step = next_step(state); !step.empty()) steps.emplace_back(std::move(step));
  }
  if (steps.empty()) steps.emplace_back("understudy report    what it saved, and how sure we are");
  return steps;
}

}  // namespace

Result<json::value> status(const store::Home& home, std::optional<json::value> known) {
  json::object out{{"home", home.directory().string()}, {"log", nullptr}};
  Recorded known_calls = Recorded::nothing;
  if (auto log = known ? Result<json::value>(std::move(*known)) : log_statistics(home)) {
    known_calls = recorded(*log);
    out["log"] = std::move(*log);
  } else {
    out["log_problem"] = log.error().message;
    std::error_code error;
    if (!std::filesystem::is_empty(home.log(), error) && !error) known_calls = Recorded::calls;
  }
  const auto dataset = store::current_dataset(home);
  out["dataset"] = dataset ? json::value(dataset->value) : json::value(nullptr);
  const std::vector<TaskState> states = TRY(task_states(home));
  json::array tasks;
  for (const TaskState& state : states) tasks.emplace_back(to_json(state));
  out["tasks"] = std::move(tasks);
  const auto routes = show_routes(home);
  out["demotions"] = routes ? *json::find(*routes, "demotions") : json::value(json::array{});
  out["policy_version"] = store::current_policy_version(home).value_or(0);
  out["next"] = next_steps(home, known_calls, dataset.has_value(), states);
  return out;
}

}  // namespace understudy::console
