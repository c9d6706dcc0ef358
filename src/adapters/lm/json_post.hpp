// One POST of JSON to an API over HTTP (libcurl). Private to adapters/lm. Blocking.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.hpp"

namespace understudy::lm {

struct JsonPost {
  std::string url;
  std::string api_key;  // empty: none is sent
  std::string body;
  long timeout_s = 60;
  std::size_t response_bytes_max = 0;
  // What a status of 4xx is that another try would get, too (not 408, not 429).
  ErrorCode refused = ErrorCode::unavailable;
};

// The answer's body. unavailable (with the status, never the body) and timeout name the URL.
Result<std::string> post_json(const JsonPost& request);

}  // namespace understudy::lm
