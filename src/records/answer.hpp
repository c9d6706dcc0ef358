// What a model said, apart from the wire format that carried it: plain text, or tool calls, or
// both. Every comparison, every training target and every SLM reply goes through this type.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy {

struct ToolCall {
  std::string id;  // the wire's id; not compared
  std::string name;
  std::string arguments;  // JSON text as the model wrote it

  bool operator==(const ToolCall&) const = default;
};

struct Answer {
  std::string text;  // empty when the answer is tool calls only
  std::vector<ToolCall> tool_calls;

  [[nodiscard]] bool empty() const { return text.empty() && tool_calls.empty(); }
};

// How a task's answers look; decides the comparator and the candidates.
enum class AnswerForm {
  label,      // one of a closed set of short texts
  json,       // a JSON object or array as text
  tool_call,  // one or more tool calls
  text,       // anything else
};

std::string_view to_string(AnswerForm form);
Result<AnswerForm> parse_answer_form(std::string_view text);

// The text that small models learn to write: the answer's text, or for each tool call a line
// "<tool>NAME ARGUMENTS" with canonical arguments. parse_target() is its inverse (ids are not
// kept).
std::string to_target(const Answer& answer);
Result<Answer> parse_target(std::string_view target);

// Equal answers have equal canonical text: JSON with sorted keys, labels without case and outer
// space.
std::string to_canonical(const Answer& answer, AnswerForm form);

}  // namespace understudy
