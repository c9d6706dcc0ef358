// What the console answers to one request, and its errors as JSON. Plain data.
#pragma once

#include <string_view>

#include "adapters/net/api_reply.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

using Reply = net::ApiReply;

// {"error":{"message","hint","code"}}
Reply refusal(unsigned status, const Error& error);
// The status by the error's code.
Reply failure(const Error& error);
Reply reply_of(Result<json::value> result);
// A part of an answer that may be missing, and why (NAME_problem), so that the rest is shown all
// the same.
void put_or_problem(json::object& out, std::string_view name, Result<json::value> part);

}  // namespace understudy::console
