// One JSON request to an HTTP endpoint of the user's choice, by libcurl. Blocking. Private to
// adapters/lm.
#pragma once

#include <string>

#include "base/result.hpp"

namespace understudy::lm {

struct JsonPost {
  std::string url;
  std::string body;
  std::string api_key = {};  // sent as a bearer token; empty: none
  long timeout_s = 60;
};

// The answer's body. timeout, unavailable (out of reach, or another status than 200) name the URL.
Result<std::string> post_json(const JsonPost& post);

}  // namespace understudy::lm
