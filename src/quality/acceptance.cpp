#include "quality/acceptance.hpp"

#include "quality/valid_answer.hpp"

namespace understudy::quality {

std::string_view acceptance(const TaskPolicy& task, const Answer& answer, double confidence,
                            const AnswerShape& shape) {
  if (confidence < task.threshold) return "low_confidence";
  const bool valid =
      is_valid(answer, {.form = task.answer_form, .answer_set = task.answer_set, .shape = shape});
  return valid ? accepted : "invalid_answer";
}

}  // namespace understudy::quality
