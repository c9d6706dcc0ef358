// Whether an answer may stand for a task at all: a known label, JSON that parses and says no member
// twice, a tool that was offered with such an object as its arguments. The gateway accepts nothing
// else and evaluation keeps nothing else, by this one function. Pure.
#pragma once

#include <span>
#include <string>

#include "records/answer.hpp"

namespace understudy::quality {

struct AnswerRules {
  AnswerForm form = AnswerForm::text;
  std::span<const std::string> answer_set;  // canonical labels, sorted; for labels
  std::span<const std::string> tool_names;  // what the request offers, sorted
};

bool is_valid(const Answer& answer, const AnswerRules& rules);

}  // namespace understudy::quality
