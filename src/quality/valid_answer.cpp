#include "quality/valid_answer.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/json_keys.hpp"
#include "quality/json_schema.hpp"

namespace understudy::quality {

namespace {

// Nothing where it is no JSON, or JSON that readers may understand differently.
std::optional<json::value> read(std::string_view text) {
  auto tree = json::parse(text);
  return tree && !json::repeats_a_key(text) ? std::optional(std::move(*tree)) : std::nullopt;
}

bool is_valid_call(const ToolCall& call, const AnswerShape& shape) {
  const auto offered = shape.tools.find(call.name);
  if (offered == shape.tools.end()) return false;
  const auto arguments = read(call.arguments.empty() ? "{}" : call.arguments);
  return arguments && arguments->is_object() && fits_schema(*arguments, offered->second);
}

}  // namespace

bool is_valid(const Answer& answer, const AnswerRules& rules) {
  if (answer.empty()) return false;
  const auto call_is_valid = [&](const ToolCall& call) { return is_valid_call(call, rules.shape); };
  if (!std::ranges::all_of(answer.tool_calls, call_is_valid)) return false;
  switch (rules.form) {
    case AnswerForm::label:
      return answer.tool_calls.empty() &&
             std::ranges::binary_search(rules.answer_set, to_canonical(answer, AnswerForm::label));
    case AnswerForm::json: {
      const auto tree = read(answer.text);
      return answer.tool_calls.empty() && tree && fits_schema(*tree, rules.shape.text);
    }
    case AnswerForm::tool_call: return !answer.tool_calls.empty();
    case AnswerForm::text: return true;
  }
  return false;
}

bool fits_tools(const Answer& answer, const AnswerShape& shape) {
  return shape.tools.empty() || std::ranges::all_of(answer.tool_calls, [&](const ToolCall& call) {
           return is_valid_call(call, shape);
         });
}

}  // namespace understudy::quality
