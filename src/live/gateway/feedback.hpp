// POST /v1/understudy/feedback: what somebody says about a call, or about a session, afterwards.
// {"call_id" | "session_id", "reward"?: number, "name"?, "comment"?}; 202 when it is on its way
// into the call log.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "records/feedback.hpp"

namespace understudy::live {

// invalid_input names the field.
Result<Feedback> parse_feedback(std::string_view body);

}  // namespace understudy::live
