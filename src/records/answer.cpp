#include "records/answer.hpp"

#include <algorithm>
#include <cctype>

#include "base/ascii.hpp"

namespace understudy {

namespace {

constexpr std::string_view tool_mark = "<tool>";

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string canonical_json_or_text(std::string_view text) {
  const auto tree = json::parse(text);
  return tree ? json::to_canonical(*tree) : std::string(trimmed(text));
}

}  // namespace

std::string_view to_string(AnswerForm form) {
  switch (form) {
    case AnswerForm::label: return "label";
    case AnswerForm::json: return "json";
    case AnswerForm::tool_call: return "tool_call";
    case AnswerForm::text: return "text";
  }
  return "text";
}

Result<AnswerForm> parse_answer_form(std::string_view text) {
  for (const auto form :
       {AnswerForm::label, AnswerForm::json, AnswerForm::tool_call, AnswerForm::text}) {
    if (text == to_string(form)) return form;
  }
  return fail(ErrorCode::invalid_input, "no such answer form: " + std::string(text));
}

std::string to_target(const Answer& answer) {
  std::string target = answer.text;
  for (const ToolCall& call : answer.tool_calls) {
    if (!target.empty()) target += '\n';
    target += tool_mark;
    target += call.name;
    target += ' ';
    target += canonical_json_or_text(call.arguments);
  }
  return target;
}

Result<Answer> parse_target(std::string_view target) {
  Answer answer;
  const std::size_t first = target.starts_with(tool_mark) ? 0 : target.find("\n<tool>");
  if (first == std::string_view::npos) {
    answer.text = std::string(target);
    return answer;
  }
  answer.text = std::string(target.substr(0, first));
  std::string_view rest = target.substr(first);
  while (!rest.empty()) {
    if (rest.front() == '\n') rest.remove_prefix(1);
    if (!rest.starts_with(tool_mark))
      return fail(ErrorCode::invalid_input, "text after a tool call");
    rest.remove_prefix(tool_mark.size());
    const std::string_view line = rest.substr(0, rest.find("\n<tool>"));
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0) {
      return fail(ErrorCode::invalid_input, "a tool call without arguments");
    }
    const auto arguments = json::parse(line.substr(space + 1));
    if (!arguments || !arguments->is_object()) {
      return fail(ErrorCode::invalid_input, "tool arguments that are no JSON object");
    }
    answer.tool_calls.push_back({.id = {},
                                 .name = std::string(line.substr(0, space)),
                                 .arguments = std::string(line.substr(space + 1))});
    rest.remove_prefix(line.size());
  }
  return answer;
}

std::string to_canonical(const Answer& answer, AnswerForm form) {
  if (form == AnswerForm::label && answer.tool_calls.empty())
    return lower_ascii(trimmed(answer.text));
  if (form == AnswerForm::json && answer.tool_calls.empty())
    return canonical_json_or_text(answer.text);
  std::vector<std::string> calls;
  for (const ToolCall& call : answer.tool_calls) {
    calls.push_back(call.name + " " + canonical_json_or_text(call.arguments));
  }
  std::ranges::sort(calls);  // parallel calls are a set
  std::string out(
      trimmed(form == AnswerForm::tool_call && !calls.empty() ? std::string_view{} : answer.text));
  for (const std::string& call : calls) out += "\n<tool>" + call;
  return out;
}

}  // namespace understudy
