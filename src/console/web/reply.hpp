// What the console answers to one request, and its errors as JSON. Plain data.
#pragma once

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

}  // namespace understudy::console
