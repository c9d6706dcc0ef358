// What a decision says in headers: x-ratelimit-* as OpenAI names them, anthropic-ratelimit-* as
// Anthropic does, Retry-After and x-should-retry. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "live/access/access.hpp"
#include "live/config/gateway_config.hpp"

namespace understudy::live {

// For refusals and for granted calls alike; empty where the key has no limits.
std::vector<std::pair<std::string_view, std::string>> limit_headers(const AccessDecision& decision,
                                                                    Protocol client,
                                                                    UnixMicros time);

// "1s", "6m0s", "88ms": how OpenAI writes the time until a limit is full again.
std::string to_reset_text(std::int64_t us);

}  // namespace understudy::live
