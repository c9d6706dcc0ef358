#include "records/policy.hpp"

namespace understudy {

namespace {

json::value to_json(const TaskPolicy& policy) {
  json::array answers;
  for (const std::string& answer : policy.answer_set) answers.emplace_back(answer);
  return json::object{{"task", policy.task.value},
                      {"name", policy.name},
                      {"mode", policy.mode == RouteMode::active ? "active" : "off"},
                      {"key", to_json(policy.key)},
                      {"template", to_json(policy.prompt_template)},
                      {"answer_form", to_string(policy.answer_form)},
                      {"answer_set", std::move(answers)},
                      {"kind", to_string(policy.kind)},
                      {"artifact", policy.artifact.value},
                      {"threshold", policy.threshold},
                      {"alpha", policy.alpha},
                      {"delta", policy.delta}};
}

Result<TaskPolicy> task_policy_from_json(const json::value& tree) {
  TaskPolicy policy;
  policy.task = {json::string_or(tree, "task")};
  policy.name = json::string_or(tree, "name");
  const std::string mode = json::string_or(tree, "mode");
  if (mode != "active" && mode != "off")
    return fail(ErrorCode::corrupt, "no such route mode: " + mode);
  policy.mode = mode == "active" ? RouteMode::active : RouteMode::off;
  if (const json::value* key = json::find(tree, "key")) policy.key = structure_key_from_json(*key);
  const json::value* stored = json::find(tree, "template");
  if (stored == nullptr) return fail(ErrorCode::corrupt, "a task policy without a template");
  policy.prompt_template = TRY(prompt_template_from_json(*stored));
  policy.answer_form = TRY(parse_answer_form(json::string_or(tree, "answer_form")));
  policy.answer_set = json_strings(tree, "answer_set");
  policy.kind = TRY(parse_candidate_kind(json::string_or(tree, "kind")));
  policy.artifact = {json::string_or(tree, "artifact")};
  const auto threshold = json::find_number(tree, "threshold");
  if (!threshold) return fail(ErrorCode::corrupt, "a task policy without a threshold");
  policy.threshold = *threshold;
  policy.alpha = json::find_number(tree, "alpha").value_or(policy.alpha);
  policy.delta = json::find_number(tree, "delta").value_or(policy.delta);
  return policy;
}

}  // namespace

json::value to_json(const RoutingPolicy& policy) {
  json::array tasks;
  for (const TaskPolicy& task : policy.tasks) tasks.push_back(to_json(task));
  return json::object{{"version", policy.version},
                      {"made_at", policy.made_at.value},
                      {"reason", policy.reason},
                      {"tasks", std::move(tasks)}};
}

Result<RoutingPolicy> routing_policy_from_json(const json::value& tree) {
  RoutingPolicy policy;
  policy.version = json::find_integer(tree, "version").value_or(0);
  policy.made_at = {json::find_integer(tree, "made_at").value_or(0)};
  policy.reason = json::string_or(tree, "reason");
  const json::array* tasks = json::find_array(tree, "tasks");
  if (tasks == nullptr) return fail(ErrorCode::corrupt, "a routing policy without tasks");
  for (const json::value& task : *tasks) policy.tasks.push_back(TRY(task_policy_from_json(task)));
  return policy;
}

}  // namespace understudy
