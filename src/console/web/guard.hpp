// What stands in every answer of the console, and which requests are turned away before anybody
// looks at their token. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adapters/net/http.hpp"
#include "console/web/reply.hpp"

namespace understudy::console {

// Framing, sniffing, foreign content and foreign readers are forbidden.
void add_guard_headers(net::Headers& headers);

// A request for a name that is not this server's (`names`; loopback's are known): somebody made a
// name of their own point here. 421.
std::optional<Reply> refuse_host(const net::HttpRequest& request,
                                 std::span<const std::string> names);

// A request that changes something must come from this very origin, as JSON. 403, 415.
std::optional<Reply> refuse_origin(const net::HttpRequest& request, std::string_view scheme);

}  // namespace understudy::console
