#include "quality/agreement.hpp"

#include <algorithm>
#include <vector>

#include "quality/binomial.hpp"
#include "quality/json_match.hpp"

namespace understudy::quality {

namespace {

// Arguments of one tool, as text: equal as JSON by the tool's schema, else as text.
bool same_arguments(const ToolCall& left, const ToolCall& right, const AnswerShape& shape) {
  const auto a = json::parse(left.arguments);
  const auto b = json::parse(right.arguments);
  if (!a || !b) return left.arguments == right.arguments;
  const auto tool = shape.tools.find(left.name);
  const bool known = tool != shape.tools.end() && !tool->second.is_null();
  return same_json(*a, *b, known ? &tool->second : nullptr);
}

// Parallel calls are a set: each of one side has one of its own on the other. With `same_call`
// being an equivalence, taking the first that fits finds a pairing where there is one.
bool same_calls(std::span<const ToolCall> teacher, std::span<const ToolCall> student,
                const AnswerShape& shape) {
  if (teacher.size() != student.size()) return false;
  std::vector<bool> taken(student.size(), false);
  return std::ranges::all_of(teacher, [&](const ToolCall& call) {
    for (std::size_t i = 0; i < student.size(); ++i) {
      if (taken[i] || call.name != student[i].name || !same_arguments(call, student[i], shape))
        continue;
      taken[i] = true;
      return true;
    }
    return false;
  });
}

bool same_as_json(const std::string& teacher, const std::string& student) {
  const auto a = json::parse(teacher);
  const auto b = json::parse(student);
  return a && b && same_json(*a, *b, nullptr);
}

}  // namespace

bool agrees(const Answer& teacher, const Answer& student, AnswerForm form,
            const AnswerShape& shape) {
  if (teacher.empty() || student.empty()) return false;
  if (teacher.tool_calls.empty() != student.tool_calls.empty()) return false;
  if (!teacher.tool_calls.empty()) {
    const bool text_counts = form != AnswerForm::tool_call;
    const Answer left{.text = teacher.text, .tool_calls = {}};
    const Answer right{.text = student.text, .tool_calls = {}};
    return same_calls(teacher.tool_calls, student.tool_calls, shape) &&
           (!text_counts || to_canonical(left, form) == to_canonical(right, form));
  }
  if (to_canonical(teacher, form) == to_canonical(student, form)) return true;
  return form == AnswerForm::json && same_as_json(teacher.text, student.text);
}

Agreement measure(std::span<const Judged> calls, double threshold) {
  Agreement agreement{.calls = static_cast<std::int64_t>(calls.size())};
  for (const Judged& call : calls) {
    if (call.confidence < threshold) continue;
    ++agreement.kept;
    agreement.agreed += call.agrees ? 1 : 0;
  }
  const Interval bounds = interval({.successes = agreement.agreed, .trials = agreement.kept});
  agreement.lower = bounds.lower;
  agreement.upper = bounds.upper;
  return agreement;
}

}  // namespace understudy::quality
