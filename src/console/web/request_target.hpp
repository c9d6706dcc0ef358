// A request's target, taken apart: the decoded segments of its path and its query. Everything that
// could mean another path to somebody else is refused: dot segments, encoded slashes, control
// characters, backslashes. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::console {

struct RequestTarget {
  std::vector<std::string> path;  // "/api/tasks/t-1" -> {"api", "tasks", "t-1"}; "/" -> {}
  std::map<std::string, std::string> query;  // the last value of a name counts

  [[nodiscard]] std::string query_or(const std::string& name, std::string otherwise = {}) const;
  // A number from 0 to `most`; `otherwise` where it is absent. invalid_input.
  [[nodiscard]] Result<std::size_t> count_or(const std::string& name, std::size_t otherwise,
                                             std::size_t most) const;
};

Result<RequestTarget> parse_target(std::string_view target);

}  // namespace understudy::console
