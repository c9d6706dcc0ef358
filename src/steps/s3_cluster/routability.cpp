#include "steps/s3_cluster/routability.hpp"

#include <algorithm>
#include <cctype>

#include "base/check.hpp"

namespace understudy::s3 {

namespace {

bool same_key(const StructureKey& a, const StructureKey& b) {
  return a.tools == b.tools && a.response_form == b.response_form;
}

// Letters and digits of the constants, role lines left out: what a prompt of another origin would
// not have.
std::size_t own_characters(const PromptTemplate& shape) {
  std::size_t count = 0;
  for (std::string_view rest : shape.constants()) {
    while (!rest.empty()) {
      const std::size_t newline = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, newline);
      const bool is_role = line.starts_with("<|") && line.ends_with("|>");
      if (!is_role) {
        count += static_cast<std::size_t>(std::ranges::count_if(
            line, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }));
      }
      rest.remove_prefix(std::min(newline + 1, rest.size()));
    }
  }
  return count;
}

}  // namespace

std::ptrdiff_t route(std::string_view prompt, const StructureKey& key,
                     const std::vector<Task>& tasks) {
  std::ptrdiff_t best = -1;
  std::size_t best_bytes = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const Task& task = tasks[i];
    const std::size_t bytes = task.prompt_template.constant_bytes();
    if (!same_key(task.key, key) || (best >= 0 && bytes <= best_bytes)) continue;
    if (!task.prompt_template.matches(prompt)) continue;
    best = static_cast<std::ptrdiff_t>(i);
    best_bytes = bytes;
  }
  return best;
}

void mark_separable(std::vector<Task>& tasks,
                    const std::vector<std::vector<std::string_view>>& prompts) {
  CHECK(tasks.size() == prompts.size(), "prompts for each task");
  constexpr std::size_t prompts_tried = 200;
  constexpr double share_min = 0.95;
  constexpr std::size_t own_characters_min = 8;
  std::vector<double> own(tasks.size());     // calls of the task that reach it
  std::vector<double> caught(tasks.size());  // calls of any task that reach it
  std::vector<double> all(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::size_t step = 1 + prompts[i].size() / prompts_tried;
    for (std::size_t p = 0; p < prompts[i].size(); p += step) {
      const auto weight = static_cast<double>(step);
      const std::ptrdiff_t reached = route(prompts[i][p], tasks[i].key, tasks);
      all[i] += weight;
      if (reached < 0) continue;
      caught[static_cast<std::size_t>(reached)] += weight;
      if (static_cast<std::size_t>(reached) == i) own[i] += weight;
    }
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    tasks[i].separable = own[i] >= share_min * all[i] && own[i] >= share_min * caught[i] &&
                         own_characters(tasks[i].prompt_template) >= own_characters_min;
  }
}

}  // namespace understudy::s3
