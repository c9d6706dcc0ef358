// Which tasks can be recognised from the prompt alone. Routing takes, among the templates that
// match a prompt (of equal tools and response form), the one with the most constant text; a task is
// separable when that rule gives it nearly all of its own calls and nearly none of the others'.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "records/task.hpp"

namespace understudy::s3 {

// Index of the task that the rule gives the prompt to; nothing below -1. Two equally specific
// templates: the first.
std::ptrdiff_t route(std::string_view prompt, const StructureKey& key,
                     const std::vector<Task>& tasks);

// Sets `separable` on every task. `prompts[i]` are prompts of tasks[i].
void mark_separable(std::vector<Task>& tasks,
                    const std::vector<std::vector<std::string_view>>& prompts);

}  // namespace understudy::s3
