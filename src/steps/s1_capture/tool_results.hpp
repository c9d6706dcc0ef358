// What tools answered to the calls of a conversation's last answer. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "adapters/wire/api.hpp"
#include "adapters/wire/request_scan.hpp"
#include "records/call.hpp"

namespace understudy::s1 {

// The tool results behind the last thing that the model said, with their tools' names where the
// calls in front of them tell. `body` is what `scan` was made of.
std::vector<ToolResult> tool_results(wire::Api api, const wire::RequestScan& scan,
                                     std::string_view body);

}  // namespace understudy::s1
