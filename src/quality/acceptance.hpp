// Whether a small model's answer is taken for a call, and the word for it that headers, log,
// metrics and `replay` use. The gateway decides by this function, and replay says what it would
// decide. Pure.
#pragma once

#include <string_view>

#include "quality/answer_shape.hpp"
#include "records/answer.hpp"
#include "records/policy.hpp"

namespace understudy::quality {

inline constexpr std::string_view accepted = "accepted";

// `accepted`, "low_confidence" or "invalid_answer". `shape`: what the request demands.
std::string_view acceptance(const TaskPolicy& task, const Answer& answer, double confidence,
                            const AnswerShape& shape);

}  // namespace understudy::quality
