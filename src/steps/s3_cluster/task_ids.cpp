#include "steps/s3_cluster/task_ids.hpp"

#include <algorithm>
#include <iterator>
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

namespace {

// Share of the larger side's lines that both have.
double lines_in_common(const Task& a, const Task& b) {
  if (a.lines.empty() || b.lines.empty()) return a.prompt_template == b.prompt_template ? 1 : 0;
  std::vector<std::uint32_t> both;
  std::ranges::set_intersection(a.lines, b.lines, std::back_inserter(both));
  return static_cast<double>(both.size()) /
         static_cast<double>(std::max(a.lines.size(), b.lines.size()));
}

bool same_key(const Task& a, const Task& b) {
  return a.key.tools == b.key.tools && a.key.response_form == b.key.response_form;
}

// Earlier tasks that share no call with the new ones, matched by what their prompts say.
void match_by_template(const std::vector<Task>& tasks, const EarlierClustering& earlier,
                       std::map<TaskId, TaskId>& renamed, std::set<TaskId>& taken,
                       const std::set<TaskId>& still_there) {
  constexpr double share_min = 0.6;
  for (const Task& task : tasks) {
    if (renamed.contains(task.id)) continue;
    const Task* best = nullptr;
    double best_share = share_min;
    for (const Task& before : earlier.tasks) {
      if (taken.contains(before.id) || still_there.contains(before.id) || !same_key(task, before))
        continue;
      // The steps of one tool loop have the same lines.
      if (task.tool_names != before.tool_names) continue;
      const double share = lines_in_common(task, before);
      if (share < best_share || (best != nullptr && share == best_share)) continue;
      best = &before;
      best_share = share;
    }
    if (best == nullptr) continue;
    renamed.emplace(task.id, best->id);
    taken.insert(best->id);
  }
}

void keep_template_ids(std::vector<Task>& tasks, const std::vector<Task>& earlier) {
  constexpr double share_min = 0.5;
  for (Task& task : tasks) {
    const auto before = std::ranges::find(earlier, task.id, &Task::id);
    if (before == earlier.end() || before->template_id.empty()) continue;
    if (lines_in_common(task, *before) >= share_min) task.template_id = before->template_id;
  }
}

}  // namespace

std::string make_template_id(const Task& task) {
  std::string identity;
  for (const std::uint32_t line : task.lines) identity += std::to_string(line) + ",";
  if (task.lines.empty()) {
    for (const std::string& constant : task.prompt_template.constants()) {
      identity += constant;
      identity += '\x1f';
    }
  }
  return "p-" + text::hash_hex(identity).substr(0, 10);
}

void keep_task_ids(std::vector<Task>& tasks, std::vector<Assignment>& assignments,
                   const EarlierClustering& earlier) {
  std::unordered_map<CallId, TaskId> before;
  for (const Assignment& assignment : earlier.assignments) {
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
  std::set<TaskId> with_calls;
  for (const auto& [id, count] : still_there) with_calls.insert(id);
  match_by_template(tasks, earlier, renamed, taken, with_calls);
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
  keep_template_ids(tasks, earlier.tasks);
}

}  // namespace understudy::s3
