// The Responses API as chat completions; see chat_view.hpp.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::wire {

Result<json::value> responses_request_view(const json::value& request);
Result<json::value> responses_answer_view(const json::value& response);

}  // namespace understudy::wire
