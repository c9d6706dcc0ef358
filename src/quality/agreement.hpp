// Does a small model's answer agree with the teacher's? Decided by the task's answer form: labels
// without case and outer space, JSON without key order and with a tolerance for numbers, tool calls
// as a set of names and arguments by the tools' schemas. Agreement is not correctness: it is what
// can be measured without a judge. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "quality/answer_shape.hpp"
#include "records/answer.hpp"
#include "records/evaluation.hpp"

namespace understudy::quality {

// An empty answer agrees with nothing: a teacher that said nothing is no evidence.
bool agrees(const Answer& teacher, const Answer& student, AnswerForm form,
            const AnswerShape& shape = {});

// One held-out call. A failed prediction has confidence 0 and does not agree.
struct Judged {
  double confidence = 0;
  bool agrees = false;
};

// Calls kept at a threshold (confidence >= threshold) and how many of them agree, with the 95 %
// interval.
Agreement measure(std::span<const Judged> calls, double threshold);

}  // namespace understudy::quality
