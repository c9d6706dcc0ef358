#include "steps/s3_cluster/task_ids.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>

#include "adapters/text/hashing.hpp"

namespace understudy::s3 {

TaskId make_task_id(const Task& task, std::string_view action) {
  std::string identity = task.key.tools + '\x1f' + task.key.response_form + '\x1f';
  identity += action;
  for (const std::string& constant : task.prompt_template.constants()) {
    identity += '\x1f';
    identity += constant;
  }
  return {"t-" + text::hash_hex(identity).substr(0, 10)};
}

void keep_task_ids(std::vector<Task>& tasks, std::vector<Assignment>& assignments,
                   std::span<const Assignment> earlier) {
  std::unordered_map<CallId, TaskId> before;
  for (const Assignment& assignment : earlier) {
    if (!assignment.task.empty()) before.emplace(assignment.call, assignment.task);
  }
  std::map<std::pair<TaskId, TaskId>, std::size_t> shared;  // earlier id, new id
  std::map<TaskId, std::size_t> still_there;
  for (const Assignment& assignment : assignments) {
    const auto found = before.find(assignment.call);
    if (found == before.end()) continue;
    ++still_there[found->second];
    if (!assignment.task.empty()) ++shared[{found->second, assignment.task}];
  }
  std::vector<std::tuple<std::size_t, TaskId, TaskId>> pairs;
  for (const auto& [ids, count] : shared) {
    if (2 * count >= still_there[ids.first]) pairs.emplace_back(count, ids.first, ids.second);
  }
  std::ranges::sort(pairs, std::greater{});
  std::map<TaskId, TaskId> renamed;
  std::set<TaskId> taken;
  for (const auto& [count, old_id, new_id] : pairs) {
    if (renamed.contains(new_id) || taken.contains(old_id)) continue;
    renamed.emplace(new_id, old_id);
    taken.insert(old_id);
  }
  for (Task& task : tasks) {
    if (renamed.contains(task.id)) continue;
    // Not matched: its own id, unless a matched task has taken exactly that one over.
    TaskId fresh = task.id;
    while (!taken.insert(fresh).second) fresh = {"t-" + text::hash_hex(fresh.value).substr(0, 10)};
    renamed.emplace(task.id, fresh);
  }
  for (Task& task : tasks) task.id = renamed.at(task.id);
  for (Assignment& assignment : assignments) {
    if (!assignment.task.empty()) assignment.task = renamed.at(assignment.task);
  }
}

}  // namespace understudy::s3
