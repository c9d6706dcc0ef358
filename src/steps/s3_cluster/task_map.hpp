// Two-dimensional places for tasks and some of their calls, for the dashboard: tasks whose prompts
// resemble each other lie near each other (stress majorisation of cosine distances, SMACOF), calls
// lie around their task. Equal input gives an equal map. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "records/task.hpp"

namespace understudy::s3 {

struct MappedCall {
  CallId call;
  std::string_view text;
};

// Fills `map` of every task; `calls[i]` are calls of tasks[i], of which at most 48 are drawn. All
// coordinates are within -1.25..1.25, tasks within -1..1.
void place_on_map(std::vector<Task>& tasks, const std::vector<std::vector<MappedCall>>& calls);

}  // namespace understudy::s3
