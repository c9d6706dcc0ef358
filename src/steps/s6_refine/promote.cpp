#include "steps/s6_refine/promote.hpp"

#include <algorithm>
#include <system_error>

#include "adapters/store/metadata.hpp"
#include "adapters/store/policy_store.hpp"
#include "adapters/store/watch_store.hpp"
#include "base/clock.hpp"
#include "base/figures.hpp"

namespace understudy::s6 {

namespace {

// What the gateway took from the task's model by itself and no policy has lifted since.
Result<std::optional<Veto>> demotion_in_force(const store::Home& home, const RoutingPolicy& policy,
                                              const TaskId& task) {
  const auto decided = std::ranges::find(policy.tasks, task, &TaskPolicy::task);
  if (decided == policy.tasks.end()) return std::nullopt;
  for (const Veto& veto : TRY(store::load_vetoes(home))) {
    if (veto.task == task && veto.mode == RouteMode::shadow && decided->decided_at <= veto.at)
      return veto;
  }
  return std::nullopt;
}

// The newest evaluation, if it permits to go live.
Result<Evaluation> find_proof(const store::Metadata& metadata, const Task& task,
                              const PromoteOptions& options) {
  auto evaluations = TRY(metadata.evaluations(task.id));
  if (options.artifact) {
    std::erase_if(evaluations, [&options](const Evaluation& evaluation) {
      return evaluation.artifact != *options.artifact;
    });
  }
  if (evaluations.empty()) {
    return fail(ErrorCode::denied,
                "task " + task.id.value + " has no evidence that a model may take it over",
                "measure it first: `understudy evaluate " + task.id.value + "`");
  }
  const Evaluation& newest = evaluations.front();
  if (newest.verdict == Verdict::convert || options.mode == RouteMode::shadow) return newest;
  return fail(ErrorCode::denied, "task " + task.id.value + " stays on the LLM: " + newest.reason,
              newest.verdict == Verdict::needs_more_data
                  ? "let more calls through the gateway (about " +
                        std::to_string(newest.calls_needed) +
                        " in the calibration split), then curate, cluster, tune and evaluate again"
                  : "try another candidate: `understudy select " + task.id.value +
                        "`, or compare it live without risk: `understudy promote " + task.id.value +
                        " --mode shadow`");
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

TaskPolicy make_policy(const Task& task, const Evaluation& proof, const Artifact& artifact,
                       const PromoteOptions& options) {
  TaskPolicy policy;
  policy.task = task.id;
  policy.name = task.name;
  policy.mode = options.mode;
  policy.key = task.key;
  policy.prompt_template = task.prompt_template;
  policy.answer_form = task.answer_form;
  policy.answer_set = task.answer_set;
  policy.kind = artifact.kind;
  policy.artifact = artifact.id;
  policy.confidence = artifact.confidence;
  policy.self_consistency = proof.self_consistency;
  policy.endpoint = proof.endpoint;
  // In shadow nobody gets an answer: without a certified threshold all of them are compared.
  policy.threshold =
      options.mode == RouteMode::shadow && proof.verdict != Verdict::convert ? 0 : proof.threshold;
  policy.alpha = proof.alpha;
  policy.delta = proof.delta;
  policy.canary_share = options.canary_share;
  policy.audit_share = options.audit_share;
  policy.expected_coverage = proof.verdict == Verdict::convert ? proof.calibration.coverage() : 0;
  policy.expected_share = std::clamp(task.statistics.share_of_calls, 0.0, 1.0);
  for (const SlotFacts& slot : task.slots)
    policy.expected_slots.push_back({.median = slot.bytes_median, .longest = slot.bytes_max});
  policy.decided_at = now();
  return policy;
}

// Its last task is the one that was changed.
RoutingPolicy with_task(RoutingPolicy routing, TaskPolicy policy, std::string reason) {
  std::erase_if(routing.tasks, [&](const TaskPolicy& other) { return other.task == policy.task; });
  routing.tasks.push_back(std::move(policy));
  routing.reason = std::move(reason);
  return routing;
}

Result<TaskPolicy> publish(const store::Home& home, RoutingPolicy routing) {
  TaskPolicy changed = routing.tasks.back();
  TRY(store::publish_policy(home, std::move(routing)));
  return changed;
}

Status check(const PromoteOptions& options) {
  const auto is_share = [](double value) { return value >= 0 && value <= 1; };
  if (options.mode == RouteMode::off) {
    return fail(ErrorCode::invalid_input, "promote puts a model live; off takes it back",
                "use `understudy rollback`");
  }
  if (is_share(options.canary_share) && is_share(options.audit_share)) return {};
  return fail(ErrorCode::invalid_input, "the canary's and the audit's shares lie between 0 and 1");
}

}  // namespace

std::string described(RouteMode mode, double canary_share) {
  std::string text(to_string(mode));
  return mode == RouteMode::canary ? text + " " + percent(canary_share) : text;
}

Result<RoutingPolicy> draft_promotion(const store::Home& home, const TaskId& task_id,
                                      const PromoteOptions& options) {
  TRY(check(options));
  const auto metadata = TRY(store::Metadata::open(home));
  const Task task = TRY(metadata.find_task(task_id.value));
  if (!task.separable) {
    return fail(ErrorCode::denied,
                "task " + task.id.value +
                    " has the same prompts as another one, so its calls cannot be "
                    "told apart at request time");
  }
  const Evaluation proof = TRY(find_proof(metadata, task, options));
  const Artifact artifact = TRY(find_artifact(home, metadata, proof));
  RoutingPolicy routing = TRY(store::load_current_policy(home));
  const auto demotion = TRY(demotion_in_force(home, routing, task.id));
  if (demotion && options.mode > RouteMode::shadow && proof.made_at <= demotion->at) {
    return fail(ErrorCode::denied,
                "task " + task.id.value + " was demoted at " + to_iso8601(demotion->at) + " (" +
                    demotion->reason + "), and its evidence is older than that",
                "`understudy refine " + task.id.value +
                    "` trains on the calls since then and measures again");
  }
  return with_task(
      std::move(routing), make_policy(task, proof, artifact, options),
      "promote " + task.id.value + " " + described(options.mode, options.canary_share));
}

Result<TaskPolicy> promote(const store::Home& home, const TaskId& task,
                           const PromoteOptions& options) {
  return publish(home, TRY(draft_promotion(home, task, options)));
}

Result<TaskPolicy> rollback(const store::Home& home, const TaskId& task) {
  RoutingPolicy routing = TRY(store::load_current_policy(home));
  const TaskPolicy* live = find_live(routing, task);
  if (live == nullptr) {
    return fail(ErrorCode::not_found, "no model is live for task " + task.value,
                "`understudy policy` shows what is");
  }
  TaskPolicy policy = *live;
  policy.mode = RouteMode::off;
  return publish(home, with_task(std::move(routing), std::move(policy), "rollback " + task.value));
}

Result<TaskPolicy> rollback_to_previous(const store::Home& home, const TaskId& task) {
  RoutingPolicy routing = TRY(store::load_current_policy(home));
  const auto present = std::ranges::find(routing.tasks, task, &TaskPolicy::task);
  if (present == routing.tasks.end())
    return fail(ErrorCode::not_found, "no model was ever live for task " + task.value);
  for (std::int64_t version = routing.version - 1; version >= 1; --version) {
    const auto before = store::load_policy(home, version);
    if (!before) continue;  // retention may have taken it
    const auto found = std::ranges::find(before->tasks, task, &TaskPolicy::task);
    if (found == before->tasks.end() || found->mode < RouteMode::canary ||
        found->artifact == present->artifact) {
      continue;
    }
    std::error_code error;
    if (!std::filesystem::is_directory(home.artifacts() / found->artifact.value, error)) continue;
    TaskPolicy policy = *found;
    policy.decided_at = now();
    return publish(home,
                   with_task(std::move(routing), std::move(policy),
                             "rollback " + task.value + " to version " + std::to_string(version)));
  }
  return fail(ErrorCode::not_found, "task " + task.value + " had no other model before",
              "`understudy rollback " + task.value + "` gives it back to the LLM");
}

Status switch_off(const store::Home& home, const std::optional<TaskId>& task) {
  const RoutingPolicy policy = TRY(store::load_current_policy(home));
  if (task && std::ranges::find(policy.tasks, *task, &TaskPolicy::task) == policy.tasks.end()) {
    return fail(ErrorCode::not_found, "no model is live for task " + task->value,
                "`understudy route` shows what is");
  }
  return store::add_veto(home, policy,
                         {.task = task.value_or(TaskId{}),
                          .mode = RouteMode::off,
                          .at = now(),
                          .reason = "switched off by hand"});
}

Status switch_on(const store::Home& home, const std::optional<TaskId>& task) {
  RoutingPolicy policy = TRY(store::load_current_policy(home));
  if (!task) {
    policy.resumed_at = now();
    policy.reason = "route on";
  } else {
    const auto found = std::ranges::find(policy.tasks, *task, &TaskPolicy::task);
    if (found == policy.tasks.end()) {
      return fail(ErrorCode::not_found, "no model is live for task " + task->value,
                  "`understudy route` shows what is");
    }
    if (const auto demotion = TRY(demotion_in_force(home, policy, *task))) {
      return fail(ErrorCode::denied,
                  "task " + task->value + " was demoted at " + to_iso8601(demotion->at) + ": " +
                      demotion->reason,
                  "`understudy refine " + task->value + "` finds out whether a new model may");
    }
    found->decided_at = now();
    policy.reason = "route on " + task->value;
  }
  TRY(store::publish_policy(home, std::move(policy)));
  return {};
}

}  // namespace understudy::s6
