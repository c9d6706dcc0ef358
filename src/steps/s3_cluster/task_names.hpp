// Names that a person recognises, without a model: the words of a task's prompt that the other
// tasks do not have (c-TF-IDF), and what it answers: "invoice vendor total -> JSON". Pure.
#pragma once

#include <string>
#include <vector>

#include "records/task.hpp"

namespace understudy::s3 {

// `prompts[i]` is one prompt of tasks[i], for tasks whose template says too little.
void name_tasks(std::vector<Task>& tasks, const std::vector<std::string>& prompts);

}  // namespace understudy::s3
