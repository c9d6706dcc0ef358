#include "records/watch.hpp"

#include <algorithm>

namespace understudy {

namespace {

std::int64_t count(const json::value& tree, std::string_view key) {
  return std::max<std::int64_t>(json::find_integer(tree, key).value_or(0), 0);
}

json::value to_json(const Compared& compared) {
  return json::object{
      {"calls", compared.calls}, {"kept", compared.kept}, {"agreed", compared.agreed}};
}

Compared compared_from_json(const json::value& tree, std::string_view key) {
  const json::value* found = json::find(tree, key);
  if (found == nullptr) return {};
  return {.calls = count(*found, "calls"),
          .kept = count(*found, "kept"),
          .agreed = count(*found, "agreed")};
}

Result<RouteMode> lowered_mode(const json::value& tree, std::string_view key) {
  const RouteMode mode = TRY(parse_route_mode(json::string_or(tree, key)));
  if (mode == RouteMode::off || mode == RouteMode::shadow) return mode;
  return fail(ErrorCode::corrupt, "a veto that permits " + std::string(to_string(mode)));
}

}  // namespace

bool is_of(const TaskWatch& watch, const TaskPolicy& policy) {
  return watch.task == policy.task && watch.artifact == policy.artifact &&
         watch.decided_at == policy.decided_at;
}

json::value to_json(const Veto& veto) {
  return json::object{{"task", veto.task.value},
                      {"mode", to_string(veto.mode)},
                      {"at", veto.at.value},
                      {"reason", veto.reason}};
}

Result<Veto> veto_from_json(const json::value& tree) {
  return Veto{.task = {json::string_or(tree, "task")},
              .mode = TRY(lowered_mode(tree, "mode")),
              .at = {count(tree, "at")},
              .reason = json::string_or(tree, "reason")};
}

json::value to_json(const Demotion& demotion) {
  return json::object{{"at", demotion.at.value},
                      {"task", demotion.task.value},
                      {"name", demotion.name},
                      {"artifact", demotion.artifact.value},
                      {"policy_version", demotion.policy_version},
                      {"from", to_string(demotion.from)},
                      {"to", to_string(demotion.to)},
                      {"audited", demotion.audited},
                      {"disagreements", demotion.disagreements},
                      {"recent", demotion.recent},
                      {"recent_disagreements", demotion.recent_disagreements},
                      {"evidence", demotion.evidence},
                      {"alpha", demotion.alpha},
                      {"reason", demotion.reason}};
}

Result<Demotion> demotion_from_json(const json::value& tree) {
  return Demotion{.at = {count(tree, "at")},
                  .task = {json::string_or(tree, "task")},
                  .name = json::string_or(tree, "name"),
                  .artifact = {json::string_or(tree, "artifact")},
                  .policy_version = count(tree, "policy_version"),
                  .from = TRY(parse_route_mode(json::string_or(tree, "from"))),
                  .to = TRY(lowered_mode(tree, "to")),
                  .audited = count(tree, "audited"),
                  .disagreements = count(tree, "disagreements"),
                  .recent = count(tree, "recent"),
                  .recent_disagreements = count(tree, "recent_disagreements"),
                  .evidence = json::find_number(tree, "evidence").value_or(0),
                  .alpha = json::find_number(tree, "alpha").value_or(0),
                  .reason = json::string_or(tree, "reason")};
}

json::value to_json(const TaskWatch& watch) {
  return json::object{{"task", watch.task.value},
                      {"artifact", watch.artifact.value},
                      {"decided_at", watch.decided_at.value},
                      {"seen", watch.seen},
                      {"matched", watch.matched},
                      {"asked", watch.asked},
                      {"accepted", watch.accepted},
                      {"shadow", to_json(watch.shadow)},
                      {"audit", to_json(watch.audit)},
                      {"monitor", watch.monitor},
                      {"drift", watch.drift},
                      {"drift_at", watch.drift_at.value},
                      {"saved_at", watch.saved_at.value}};
}

Result<TaskWatch> task_watch_from_json(const json::value& tree) {
  TaskWatch watch;
  watch.task = {json::string_or(tree, "task")};
  if (watch.task.empty()) return fail(ErrorCode::corrupt, "a watch of no task");
  watch.artifact = {json::string_or(tree, "artifact")};
  watch.decided_at = {count(tree, "decided_at")};
  watch.seen = count(tree, "seen");
  watch.matched = count(tree, "matched");
  watch.asked = count(tree, "asked");
  watch.accepted = count(tree, "accepted");
  watch.shadow = compared_from_json(tree, "shadow");
  watch.audit = compared_from_json(tree, "audit");
  if (const json::value* monitor = json::find(tree, "monitor")) watch.monitor = *monitor;
  watch.drift = json::string_or(tree, "drift");
  watch.drift_at = {count(tree, "drift_at")};
  watch.saved_at = {count(tree, "saved_at")};
  return watch;
}

RouteMode effective_mode(const TaskPolicy& task, const RoutingPolicy& policy, const Veto& veto) {
  const bool lifted = veto.task.empty() ? policy.resumed_at > veto.at
                                        : veto.task != task.task || task.decided_at > veto.at;
  return lifted ? task.mode : std::min(task.mode, veto.mode);
}

ModeInForce mode_in_force(const TaskPolicy& task, const RoutingPolicy& policy,
                          std::span<const Veto> vetoes) {
  ModeInForce in_force{.mode = task.mode};
  for (const Veto& veto : vetoes) {
    const RouteMode mode = std::min(in_force.mode, effective_mode(task, policy, veto));
    if (mode < in_force.mode) in_force = {.mode = mode, .veto = &veto};
  }
  return in_force;
}

}  // namespace understudy
