// A few calls of a task, as `tasks show` prints them: the slots of the prompt and the answer. Reads
// the data set that was clustered with the curator's key; what it returns is plaintext.
#pragma once

#include <string>
#include <vector>

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "records/task.hpp"

namespace understudy::s3 {

struct TaskExample {
  CallId call;
  SessionId session;
  std::vector<SecretText> slots;
  SecretText answer;  // to_target() of it
};

// At most `count`, spread over the task's calls; not_found when the data set is gone.
Result<std::vector<TaskExample>> task_examples(const store::Home& home, const Task& task,
                                               std::size_t count);
json::value to_json(const TaskExample& example);

}  // namespace understudy::s3
