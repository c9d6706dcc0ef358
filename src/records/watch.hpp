// What the gateway learns about its small models while they are live, and what it does about it by
// itself: a veto takes a task from its model until a newer signed policy decides otherwise, a
// demotion is the report of such a step. Written by `serve`, which holds no secret key: all of this
// can only take calls away from a small model, never give it any.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "records/policy.hpp"

namespace understudy {

// In force over a TaskPolicy that was decided at or before `at`.
struct Veto {
  TaskId task;                      // empty: every task
  RouteMode mode = RouteMode::off;  // off or shadow: more is not permitted
  UnixMicros at = {};
  std::string reason = {};  // "the audit's alarm", "route off"
};

struct Demotion {
  UnixMicros at = {};
  TaskId task;
  std::string name = {};
  ArtifactId artifact = {};
  std::int64_t policy_version = 0;
  RouteMode from = RouteMode::active;
  RouteMode to = RouteMode::shadow;
  std::int64_t audited = 0;  // calls that were compared
  std::int64_t disagreements = 0;
  std::int64_t recent = 0;  // of these the newest
  std::int64_t recent_disagreements = 0;
  double evidence = 0;  // of the monitor; the alarm is at 1 / its delta
  double alpha = 0.05;
  std::string reason = {};  // one sentence for people
};

// Calls that were compared with the LLM's answer.
struct Compared {
  std::int64_t calls = 0;
  std::int64_t kept = 0;    // sure enough and valid: it would have answered
  std::int64_t agreed = 0;  // of the kept
};

// One task as decided at `decided_at`; another decision begins anew.
struct TaskWatch {
  TaskId task;
  ArtifactId artifact = {};
  UnixMicros decided_at = {};
  std::int64_t seen = 0;      // calls of any task or none since then
  std::int64_t matched = 0;   // of its template
  std::int64_t asked = 0;     // where the small model might answer
  std::int64_t accepted = 0;  // and did
  Compared shadow = {};
  Compared audit = {};       // all of them kept
  json::value monitor = {};  // quality::AuditMonitor
  std::string drift = {};    // what has changed, for people; empty: nothing
  UnixMicros drift_at = {};  // when that was seen
  UnixMicros saved_at = {};
};

// Whether it was kept of this decision, not of an earlier one on the same task.
bool is_of(const TaskWatch& watch, const TaskPolicy& policy);

json::value to_json(const Veto& veto);
json::value to_json(const Demotion& demotion);
json::value to_json(const TaskWatch& watch);
Result<Veto> veto_from_json(const json::value& tree);
Result<Demotion> demotion_from_json(const json::value& tree);
Result<TaskWatch> task_watch_from_json(const json::value& tree);

// What the policy's mode comes to under one veto.
RouteMode effective_mode(const TaskPolicy& task, const RoutingPolicy& policy, const Veto& veto);

struct ModeInForce {
  RouteMode mode = RouteMode::off;
  const Veto* veto = nullptr;  // the last one that lowered it; nullptr: as it was decided
};
// Under all of them. Points into `vetoes`.
ModeInForce mode_in_force(const TaskPolicy& task, const RoutingPolicy& policy,
                          std::span<const Veto> vetoes);

}  // namespace understudy
