// Task ids: "t-" and 10 hex digits of what identifies a task, and a matching to the clustering
// before, so that policies and models stay with their task when its data grows. Pure.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "records/task.hpp"

namespace understudy::s3 {

// Of the key, the template and what the calls do (empty where that did not split them).
TaskId make_task_id(const Task& task, std::string_view action);

// Gives each task the id of the earlier task that it shares most calls with, one to one, where
// these are at least half of the earlier task's calls that are still there. Renames the tasks and
// their assignments.
void keep_task_ids(std::vector<Task>& tasks, std::vector<Assignment>& assignments,
                   std::span<const Assignment> earlier);

}  // namespace understudy::s3
