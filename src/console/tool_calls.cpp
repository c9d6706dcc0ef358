#include "console/tool_calls.hpp"

namespace understudy::console {

namespace {

json::value value_or_null(const json::value& tree, std::string_view key) {
  const json::value* found = json::find(tree, key);
  return found != nullptr ? *found : json::value();
}

const json::array& list(const json::value& tree, std::string_view key) {
  static const json::array none;
  const json::array* found = json::find_array(tree, key);
  return found != nullptr ? *found : none;
}

// Arguments travel as JSON inside a string; shown as what they say where they are JSON.
json::value unpacked(json::value arguments) {
  if (!arguments.is_string()) return arguments;
  auto parsed = json::parse(arguments.get_string());
  return parsed ? std::move(*parsed) : arguments;
}

}  // namespace

std::vector<ToolCallSeen> tool_calls_in(const json::value& response) {
  std::vector<ToolCallSeen> calls;
  for (const json::value& choice : list(response, "choices")) {  // chat completions
    const json::value message = value_or_null(choice, "message");
    for (const json::value& call : list(message, "tool_calls")) {
      const json::value function = value_or_null(call, "function");
      calls.push_back({.id = json::string_or(call, "id"),
                       .name = json::string_or(function, "name"),
                       .arguments = unpacked(value_or_null(function, "arguments"))});
    }
  }
  for (const json::value& block : list(response, "content")) {  // Anthropic messages
    if (json::string_or(block, "type") != "tool_use") continue;
    calls.push_back({.id = json::string_or(block, "id"),
                     .name = json::string_or(block, "name"),
                     .arguments = value_or_null(block, "input")});
  }
  for (const json::value& item : list(response, "output")) {  // responses
    if (json::string_or(item, "type") != "function_call") continue;
    calls.push_back({.id = json::string_or(item, "call_id"),
                     .name = json::string_or(item, "name"),
                     .arguments = unpacked(value_or_null(item, "arguments"))});
  }
  return calls;
}

std::map<std::string, json::value> tool_results_in(const json::value& request) {
  std::map<std::string, json::value> results;
  for (const json::value& message : list(request, "messages")) {
    if (json::string_or(message, "role") == "tool") {
      results[json::string_or(message, "tool_call_id")] = value_or_null(message, "content");
    }
    for (const json::value& block : list(message, "content")) {
      if (json::string_or(block, "type") == "tool_result") {
        results[json::string_or(block, "tool_use_id")] = value_or_null(block, "content");
      }
    }
  }
  for (const json::value& item : list(request, "input")) {
    if (json::string_or(item, "type") == "function_call_output") {
      results[json::string_or(item, "call_id")] = value_or_null(item, "output");
    }
  }
  return results;
}

}  // namespace understudy::console
