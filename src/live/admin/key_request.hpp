// The body of POST /admin/keys: a virtual key as somebody wants it. Pure.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "records/access.hpp"

namespace understudy::live {

// {"name": "agents", "tenant": "acme", "models": ["gpt-4o*"], "requests_per_minute": 60,
//  "tokens_per_minute": 100000, "usd_per_day": 5, "usd_per_month": 50, "budget_usd": 200,
//  "expires_at": "2027-01-31", "human_facing": false}; all but the name may be left out.
// invalid_input names the member; unknown ones are errors: a limit that is misspelt is no limit.
Result<VirtualKey> parse_key_request(std::string_view body);

}  // namespace understudy::live
