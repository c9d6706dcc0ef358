#include "live/route/policy_index.hpp"

#include <algorithm>

namespace understudy::live {

PolicyIndex::PolicyIndex(RoutingPolicy policy, std::span<const Veto> vetoes,
                         const std::vector<Watched>& watched)
    : policy_(std::move(policy)) {
  bool everything_off = true;
  for (std::size_t i = 0; i < policy_.tasks.size(); ++i) {
    TaskPolicy& task = policy_.tasks[i];
    const RouteMode decided = task.mode;
    task.mode = mode_in_force(task, policy_, vetoes).mode;
    tasks_.push_back(std::make_shared<LiveTask>(LiveTask{
        .policy = task, .mode = task.mode, .vetoed = task.mode < decided, .watched = watched[i]}));
    everything_off = everything_off && task.mode == RouteMode::off;
  }
  if (everything_off) {  // then no call needs to be looked at
    stopped_ = std::ranges::any_of(tasks_, [](const auto& task) { return task->vetoed; });
    return;
  }
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (tasks_[i]->mode != RouteMode::off || tasks_[i]->vetoed) matcher_.add(tasks_[i]->policy, i);
  }
}

}  // namespace understudy::live
