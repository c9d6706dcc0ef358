// Whether an answer may stand for a task at all: a known label; JSON that parses, says no member
// twice and fits the schema that the request gives; a tool that was offered, with such an object as
// its arguments. The gateway accepts nothing else and evaluation keeps nothing else, by this one
// function. Pure.
#pragma once

#include <span>
#include <string>

#include "quality/answer_shape.hpp"
#include "records/answer.hpp"

namespace understudy::quality {

struct AnswerRules {
  AnswerForm form = AnswerForm::text;
  std::span<const std::string> answer_set;  // canonical labels, sorted; for labels
  const AnswerShape& shape;                 // of the request
};

bool is_valid(const Answer& answer, const AnswerRules& rules);

// Whether the answer calls tools as they are offered. True without calls, and where none are.
bool fits_tools(const Answer& answer, const AnswerShape& shape);

}  // namespace understudy::quality
