// An imported request as text, with the parts that the next call of its conversation repeats
// (Call::repeated): each message and tool, and the instructions beside them. Pure.
#pragma once

#include <vector>

#include "base/json.hpp"
#include "base/secret.hpp"
#include "records/call.hpp"

namespace understudy::s1 {

struct RequestText {
  SecretText text;  // what json::to_text(request) gives
  std::vector<TextRange> repeated;
};

RequestText to_request_text(const json::value& request);

}  // namespace understudy::s1
