#include "steps/s6_refine/promote.hpp"

#include <algorithm>
#include <system_error>

#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"

namespace understudy::s6 {

namespace {

// The newest evaluation, if it permits to go live.
Result<Evaluation> find_proof(const store::Metadata& metadata, const Task& task) {
  const auto evaluations = TRY(metadata.evaluations(task.id));
  if (evaluations.empty()) {
    return fail(ErrorCode::denied,
                "task " + task.id.value + " has no evidence that a model may take it over",
                "measure it first: `understudy evaluate " + task.id.value + "`");
  }
  const Evaluation& newest = evaluations.front();
  if (newest.verdict == Verdict::convert) return newest;
  return fail(ErrorCode::denied, "task " + task.id.value + " stays on the LLM: " + newest.reason,
              newest.verdict == Verdict::needs_more_data
                  ? "let more calls through the gateway (about " +
                        std::to_string(newest.calls_needed) +
                        " in the calibration split), then curate, cluster, tune and evaluate again"
                  : "try another candidate: `understudy select " + task.id.value + "`");
}

Result<Artifact> find_artifact(const store::Home& home, const store::Metadata& metadata,
                               const Evaluation& proof) {
  for (const Artifact& artifact : TRY(metadata.artifacts(proof.task))) {
    std::error_code error;
    if (artifact.id == proof.artifact &&
        std::filesystem::is_directory(home.artifacts() / artifact.id.value, error)) {
      return artifact;
    }
  }
  return fail(ErrorCode::not_found, "the proven model " + proof.artifact.value + " is gone",
              "train it again: `understudy tune " + proof.task.value + "`");
}

TaskPolicy make_policy(const Task& task, const Evaluation& proof, const Artifact& artifact) {
  TaskPolicy policy;
  policy.task = task.id;
  policy.name = task.name;
  policy.mode = RouteMode::active;
  policy.key = task.key;
  policy.prompt_template = task.prompt_template;
  policy.answer_form = task.answer_form;
  policy.answer_set = task.answer_set;
  policy.kind = artifact.kind;
  policy.artifact = artifact.id;
  policy.threshold = proof.threshold;
  policy.alpha = proof.alpha;
  policy.delta = proof.delta;
  return policy;
}

}  // namespace

Result<TaskPolicy> promote(const store::Home& home, const TaskId& task_id) {
  const auto metadata = TRY(store::Metadata::open(home));
  const Task task = TRY(metadata.find_task(task_id.value));
  if (!task.separable) {
    return fail(ErrorCode::denied,
                "task " + task.id.value +
                    " has the same prompts as another one, so its calls cannot be "
                    "told apart at request time");
  }
  const Evaluation proof = TRY(find_proof(metadata, task));
  const Artifact artifact = TRY(find_artifact(home, metadata, proof));
  const TaskPolicy policy = make_policy(task, proof, artifact);
  RoutingPolicy routing = TRY(store::load_current_policy(home));
  std::erase_if(routing.tasks, [&](const TaskPolicy& other) { return other.task == task.id; });
  routing.tasks.push_back(policy);
  routing.reason = "promote " + task.id.value;
  TRY(store::publish_policy(home, std::move(routing)));
  return policy;
}

Result<TaskPolicy> rollback(const store::Home& home, const TaskId& task) {
  RoutingPolicy routing = TRY(store::load_current_policy(home));
  const auto found = std::ranges::find(routing.tasks, task, &TaskPolicy::task);
  if (found == routing.tasks.end() || found->mode == RouteMode::off) {
    return fail(ErrorCode::not_found, "no model is live for task " + task.value,
                "`understudy policy` shows what is");
  }
  found->mode = RouteMode::off;
  const TaskPolicy policy = *found;
  routing.reason = "rollback " + task.value;
  TRY(store::publish_policy(home, std::move(routing)));
  return policy;
}

}  // namespace understudy::s6
