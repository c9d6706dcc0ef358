// What the console answers to one request. Plain data.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::console {

struct Reply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::string allow = {};  // with 405
  int retry_after_s = 0;   // with 429
};

// {"error":{"message","hint","code"}}
Reply refusal(unsigned status, const Error& error);
// The status by the error's code.
Reply failure(const Error& error);
Reply reply_of(Result<json::value> result);

}  // namespace understudy::console
