// S6, the switch: puts a proven model live for its task, and takes it back. Both publish a new
// signed version of the routing policy (needs the admin's signing key), which the gateway picks up
// within a second. There is no way to promote without evidence.
#pragma once

#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/policy.hpp"

namespace understudy::s6 {

// The task's newest evaluation must say `convert`; denied says what stands in the way.
Result<TaskPolicy> promote(const store::Home& home, const TaskId& task);

// The task's calls go to the LLM again. not_found where no model is live for it.
Result<TaskPolicy> rollback(const store::Home& home, const TaskId& task);

}  // namespace understudy::s6
