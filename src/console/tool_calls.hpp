// Tool calls in recorded answers, and the results that later requests bring, in the shapes of the
// three APIs (chat completions, Anthropic messages, responses). For people who read the log. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace understudy::console {

struct ToolCallSeen {
  std::string id;
  std::string name;
  json::value arguments;
};

std::vector<ToolCallSeen> tool_calls_in(const json::value& response);
// tool call id -> what came back.
std::map<std::string, json::value> tool_results_in(const json::value& request);

}  // namespace understudy::console
