#include "records/policy_matcher.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace understudy {

namespace {

std::size_t index_in(std::vector<std::string>& known, const std::string& text) {
  const auto found = std::ranges::find(known, text);
  if (found != known.end()) return static_cast<std::size_t>(found - known.begin());
  known.push_back(text);
  return known.size() - 1;
}

}  // namespace

void PolicyMatcher::add(const TaskPolicy& task, std::size_t number) {
  std::vector<std::string> constants = task.prompt_template.constants();
  if (constants.empty()) return;  // nothing in common: it cannot be recognised
  Group& group = groups_[{task.key.tools, task.key.response_form}];
  Entry entry{.number = number,
              .constant_bytes = task.prompt_template.constant_bytes(),
              .beginning = index_in(group.beginnings, constants.front()),
              .behind_it = {}};
  constants.front().clear();
  auto behind = PromptTemplate::create(std::move(constants));
  CHECK(behind.has_value(), "a template stays one without its first constant");
  entry.behind_it = std::move(*behind);
  const auto place = std::ranges::upper_bound(group.entries, entry.constant_bytes, std::greater<>{},
                                              &Entry::constant_bytes);
  group.entries.insert(place, std::move(entry));
}

std::optional<std::size_t> PolicyMatcher::find(const std::string& tools_hash,
                                               const std::string& response_form,
                                               std::string_view prompt) const {
  const auto found = groups_.find({tools_hash, response_form});
  if (found == groups_.end()) return std::nullopt;
  const Group& group = found->second;
  std::vector<bool> begins(group.beginnings.size());
  for (std::size_t i = 0; i < begins.size(); ++i)
    begins[i] = prompt.starts_with(group.beginnings[i]);
  for (const Entry& entry : group.entries) {
    if (!begins[entry.beginning]) continue;
    if (entry.behind_it.matches(prompt.substr(group.beginnings[entry.beginning].size())))
      return entry.number;
  }
  return std::nullopt;
}

}  // namespace understudy
