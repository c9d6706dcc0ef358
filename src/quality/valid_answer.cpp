#include "quality/valid_answer.hpp"

#include <algorithm>

#include "base/json_keys.hpp"

namespace understudy::quality {

namespace {

bool is_valid_call(const ToolCall& call, std::span<const std::string> tool_names) {
  if (!std::ranges::binary_search(tool_names, call.name)) return false;
  const auto arguments = json::parse(call.arguments);
  return arguments && arguments->is_object() && !json::repeats_a_key(call.arguments);
}

}  // namespace

bool is_valid(const Answer& answer, const AnswerRules& rules) {
  if (answer.empty()) return false;
  const auto valid_call = [&](const ToolCall& call) {
    return is_valid_call(call, rules.tool_names);
  };
  if (!std::ranges::all_of(answer.tool_calls, valid_call)) return false;
  switch (rules.form) {
    case AnswerForm::label:
      return answer.tool_calls.empty() &&
             std::ranges::binary_search(rules.answer_set, to_canonical(answer, AnswerForm::label));
    case AnswerForm::json:
      return answer.tool_calls.empty() && json::parse(answer.text).has_value() &&
             !json::repeats_a_key(answer.text);
    case AnswerForm::tool_call: return !answer.tool_calls.empty();
    case AnswerForm::text: return true;
  }
  return false;
}

}  // namespace understudy::quality
