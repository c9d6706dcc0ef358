// One task of the policy in force, as the gateway works with it: what was decided, which mode is
// left of it under the vetoes, and what is counted. Shared by the calls under way: the policy may
// change meanwhile.
#pragma once

#include <memory>

#include "live/route/watched_task.hpp"
#include "records/policy.hpp"

namespace understudy::live {

struct LiveTask {
  TaskPolicy policy;
  RouteMode mode = RouteMode::off;  // the policy's, or less
  bool vetoed = false;
  std::shared_ptr<WatchedTask> watched;  // shared with the policies before and after this one
};

}  // namespace understudy::live
