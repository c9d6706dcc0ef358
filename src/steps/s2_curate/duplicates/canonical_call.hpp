// When are two calls the same? Requests: equal messages, tools and parameters; who asked, how the
// answer is to be delivered and the ids of tool calls do not count. Answers: equal text and tool
// calls. Pure.
#pragma once

#include <string>

#include "base/json.hpp"
#include "records/answer.hpp"

namespace understudy::s2 {

// Hashes (BLAKE2b, raw bytes) that are equal for equal requests and equal answers.
std::string request_hash(const json::value& request);
std::string answer_hash(const Answer& answer);

}  // namespace understudy::s2
