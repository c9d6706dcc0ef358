#include "quality/agreement.hpp"

#include "quality/binomial.hpp"

namespace understudy::quality {

bool agrees(const Answer& teacher, const Answer& student, AnswerForm form) {
  if (teacher.empty() || student.empty()) return false;
  if (teacher.tool_calls.empty() != student.tool_calls.empty()) return false;
  return to_canonical(teacher, form) == to_canonical(student, form);
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
