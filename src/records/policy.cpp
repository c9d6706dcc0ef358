#include "records/policy.hpp"

#include <algorithm>

#include "records/formats.hpp"

namespace understudy {

namespace {

constexpr std::int64_t newest_format = format_of(FormatId::policy).newest;

json::value to_json(const TaskPolicy& policy) {
  json::array answers;
  for (const std::string& answer : policy.answer_set) answers.emplace_back(answer);
  json::array slots;
  for (const SlotLengths& slot : policy.expected_slots)
    slots.push_back(json::object{{"median", slot.median}, {"longest", slot.longest}});
  json::object tree{{"task", policy.task.value},
                    {"name", policy.name},
                    {"mode", to_string(policy.mode)},
                    {"key", to_json(policy.key)},
                    {"template", to_json(policy.prompt_template)},
                    {"answer_form", to_string(policy.answer_form)},
                    {"answer_set", std::move(answers)},
                    {"kind", to_string(policy.kind)},
                    {"artifact", policy.artifact.value},
                    {"self_consistency", to_json(policy.self_consistency)},
                    {"threshold", policy.threshold},
                    {"alpha", policy.alpha},
                    {"delta", policy.delta},
                    {"canary_share", policy.canary_share},
                    {"audit_share", policy.audit_share},
                    {"expected_coverage", policy.expected_coverage},
                    {"expected_share", policy.expected_share},
                    {"expected_slots", std::move(slots)},
                    {"decided_at", policy.decided_at.value}};
  if (policy.endpoint) tree["endpoint"] = to_json(*policy.endpoint);
  if (policy.confidence) tree["confidence"] = to_json(*policy.confidence);
  return tree;
}

// Of a share that may be absent (format 1) but not outside 0..1.
Result<double> share_or(const json::value& tree, std::string_view key, double otherwise) {
  const double share = json::find_number(tree, key).value_or(otherwise);
  if (share >= 0 && share <= 1) return share;
  return fail(ErrorCode::corrupt, "a task policy whose " + std::string(key) + " is no share");
}

// Absent in policies of before.
Result<std::vector<SlotLengths>> slot_lengths_from_json(const json::value& tree) {
  std::vector<SlotLengths> slots;
  const json::array* stored = json::find_array(tree, "expected_slots");
  if (stored == nullptr) return slots;
  for (const json::value& slot : *stored) {
    const auto median = json::find_integer(slot, "median");
    const auto longest = json::find_integer(slot, "longest");
    if (!median || !longest || *median < 0 || *longest < *median)
      return fail(ErrorCode::corrupt, "a task policy whose expected_slots are no lengths");
    slots.push_back({.median = *median, .longest = *longest});
  }
  return slots;
}

Result<TaskPolicy> task_policy_from_json(const json::value& tree) {
  TaskPolicy policy;
  policy.task = {json::string_or(tree, "task")};
  policy.name = json::string_or(tree, "name");
  policy.mode = TRY(parse_route_mode(json::string_or(tree, "mode")));
  if (const json::value* key = json::find(tree, "key")) policy.key = structure_key_from_json(*key);
  const json::value* stored = json::find(tree, "template");
  if (stored == nullptr) return fail(ErrorCode::corrupt, "a task policy without a template");
  policy.prompt_template = TRY(prompt_template_from_json(*stored));
  policy.answer_form = TRY(parse_answer_form(json::string_or(tree, "answer_form")));
  policy.answer_set = json_strings(tree, "answer_set");
  policy.kind = TRY(parse_candidate_kind(json::string_or(tree, "kind")));
  policy.artifact = {json::string_or(tree, "artifact")};
  if (const json::value* confidence = json::find(tree, "confidence"))
    policy.confidence = TRY(confidence_model_from_json(*confidence));
  policy.self_consistency = TRY(self_consistency_of(tree));
  policy.endpoint = TRY(endpoint_of(tree));
  const auto threshold = json::find_number(tree, "threshold");
  if (!threshold) return fail(ErrorCode::corrupt, "a task policy without a threshold");
  policy.threshold = *threshold;
  policy.alpha = json::find_number(tree, "alpha").value_or(policy.alpha);
  policy.delta = json::find_number(tree, "delta").value_or(policy.delta);
  if (!(policy.alpha > 0 && policy.alpha < 1 && policy.delta > 0 && policy.delta < 1))
    return fail(ErrorCode::corrupt, "a task policy whose alpha or delta is not between 0 and 1");
  policy.canary_share = TRY(share_or(tree, "canary_share", policy.canary_share));
  policy.audit_share = TRY(share_or(tree, "audit_share", policy.audit_share));
  policy.expected_coverage = TRY(share_or(tree, "expected_coverage", 0));
  policy.expected_share = TRY(share_or(tree, "expected_share", 0));
  policy.expected_slots = TRY(slot_lengths_from_json(tree));
  policy.decided_at = {json::find_integer(tree, "decided_at").value_or(0)};
  return policy;
}

}  // namespace

std::string_view to_string(RouteMode mode) {
  switch (mode) {
    case RouteMode::off: return "off";
    case RouteMode::shadow: return "shadow";
    case RouteMode::canary: return "canary";
    case RouteMode::active: return "active";
  }
  return "off";
}

Result<RouteMode> parse_route_mode(std::string_view text) {
  for (const auto mode :
       {RouteMode::off, RouteMode::shadow, RouteMode::canary, RouteMode::active}) {
    if (text == to_string(mode)) return mode;
  }
  return fail(ErrorCode::corrupt, "no such route mode: " + std::string(text),
              "there are off, shadow, canary and active");
}

const TaskPolicy* find_live(const RoutingPolicy& policy, const TaskId& task) {
  const auto found = std::ranges::find(policy.tasks, task, &TaskPolicy::task);
  return found == policy.tasks.end() || found->mode == RouteMode::off ? nullptr : &*found;
}

json::value to_json(const RoutingPolicy& policy) {
  json::array tasks;
  for (const TaskPolicy& task : policy.tasks) tasks.push_back(to_json(task));
  return json::object{{"format", newest_format},
                      {"version", policy.version},
                      {"made_at", policy.made_at.value},
                      {"reason", policy.reason},
                      {"resumed_at", policy.resumed_at.value},
                      {"tasks", std::move(tasks)}};
}

Result<RoutingPolicy> routing_policy_from_json(const json::value& tree) {
  TRY(check_format(FormatId::policy, json::find_integer(tree, "format").value_or(1)));
  RoutingPolicy policy;
  policy.version = json::find_integer(tree, "version").value_or(0);
  policy.made_at = {json::find_integer(tree, "made_at").value_or(0)};
  policy.reason = json::string_or(tree, "reason");
  policy.resumed_at = {json::find_integer(tree, "resumed_at").value_or(0)};
  const json::array* tasks = json::find_array(tree, "tasks");
  if (tasks == nullptr) return fail(ErrorCode::corrupt, "a routing policy without tasks");
  for (const json::value& task : *tasks) policy.tasks.push_back(TRY(task_policy_from_json(task)));
  return policy;
}

}  // namespace understudy
