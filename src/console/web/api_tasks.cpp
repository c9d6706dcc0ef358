// Tasks with their evidence: the list with the map, one card, what it opens on demand.
#include <filesystem>

#include "adapters/store/metadata.hpp"
#include "console/disagreement_jobs.hpp"
#include "console/jobs.hpp"
#include "console/web/api.hpp"
#include "console/web/artifact_facts.hpp"
#include "console/web/task_facts.hpp"

namespace understudy::console {

namespace {

constexpr std::size_t examples_max = 20;

Result<json::array> evaluations_of(const store::Metadata& metadata, const TaskId& task) {
  json::array out;
  for (const Evaluation& evaluation : TRY(metadata.evaluations(task)))
    out.push_back(to_json(evaluation));
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

}  // namespace

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

}  // namespace understudy::console
