// S6, the switch: how far a model stands in for the LLM on its task, and the way back. Each step
// publishes a new signed version of the routing policy (needs the admin's signing key), which the
// gateway picks up within a second. Nothing answers without evidence: only `shadow`, whose answers
// nobody gets, is open to a model that is not proven. The kill switch is the exception that needs
// no key, because it can only take calls away from small models.
#pragma once

#include <optional>
#include <string>

#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/policy.hpp"

namespace understudy::s6 {

struct PromoteOptions {
  RouteMode mode = RouteMode::active;
  double canary_share = 0.1;  // of the sessions, with mode canary
  double audit_share = 0.02;  // of the accepted calls, which the LLM is asked too
  std::optional<ArtifactId> artifact = std::nullopt;  // default: the last one measured
};

// "active", "canary 12.5 %": as it stands in policies and in the audit trail.
std::string described(RouteMode mode, double canary_share);

// canary, active: the newest evaluation (of that artifact) must say `convert`, and be newer than a
// demotion of the task; denied says what stands in the way. off is rollback()'s.
Result<TaskPolicy> promote(const store::Home& home, const TaskId& task,
                           const PromoteOptions& options = {});

// The policy that promote() would publish, unsigned: for a replay before anything goes live.
Result<RoutingPolicy> draft_promotion(const store::Home& home, const TaskId& task,
                                      const PromoteOptions& options = {});

// The task's calls go to the LLM again. not_found where no model is live for it.
Result<TaskPolicy> rollback(const store::Home& home, const TaskId& task);
// The model that was live before the present one takes the task over again, as it was promoted
// then. not_found where there was none, or its artifact is gone.
Result<TaskPolicy> rollback_to_previous(const store::Home& home, const TaskId& task);

// The kill switch: no key, in force within a second. Without a task: everything.
Status switch_off(const store::Home& home, const std::optional<TaskId>& task);
// As it was before switch_off(), by a new signed policy. A demotion stays: promote() again.
Status switch_on(const store::Home& home, const std::optional<TaskId>& task);

}  // namespace understudy::s6
