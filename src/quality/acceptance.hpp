// Whether a small model's answer is taken for a call, and the word for it that headers, log,
// metrics and `replay` use. The gateway decides by this function, and replay says what it would
// decide. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "records/answer.hpp"
#include "records/policy.hpp"

namespace understudy::quality {

inline constexpr std::string_view accepted = "accepted";

// `accepted`, "low_confidence" or "invalid_answer". `tool_names`: what the request offers, sorted.
std::string_view acceptance(const TaskPolicy& task, const Answer& answer, double confidence,
                            std::span<const std::string> tool_names);

}  // namespace understudy::quality
