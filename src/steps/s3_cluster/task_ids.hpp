// Task ids: "t-" and 10 hex digits of what identifies a task, and a matching to the clustering
// before, so that policies and models stay with their task when its data grows or its prompt gets a
// new version. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "records/task.hpp"

namespace understudy::s3 {

// "p-" and 10 hex digits of the template's lines, or of its constants where it has none.
std::string make_template_id(const Task& task);

// Of the key, the template and what the calls do (empty where that did not split them).
TaskId make_task_id(const Task& task, std::string_view action);

struct EarlierClustering {
  std::vector<Task> tasks;
  std::vector<Assignment> assignments;
};

// Gives each task the id of the earlier task that it shares most calls with, one to one, where
// these are at least half of the earlier task's calls that are still there. What no call tells (the
// log keeps calls for a time only) the template does: equal tools and response form, and most lines
// in common. A task that keeps its id keeps its template id, too, as long as its template is a
// version of the earlier one. Renames the tasks and their assignments.
void keep_task_ids(std::vector<Task>& tasks, std::vector<Assignment>& assignments,
                   const EarlierClustering& earlier);

}  // namespace understudy::s3
