// Answers that the gateway gives itself: errors in the shape that the client's SDK reads.
#pragma once

#include <string_view>

#include "adapters/net/http_server.hpp"
#include "adapters/wire/api.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "live/access/access.hpp"
#include "live/config/gateway_config.hpp"

namespace understudy::live {

net::Headers json_headers();

// false: the client is gone.
net::Async<bool> reply_json(net::Exchange& exchange, unsigned status, json::value body);
net::Async<bool> reply_error(net::Exchange& exchange, wire::Api api, unsigned status, Error error,
                             net::Headers headers = {});

unsigned body_status(const Error& error);      // of a request body that could not be read
unsigned upstream_status(const Error& error);  // of an upstream that gave no answer

net::Async<bool> reply_refusal(net::Exchange& exchange, wire::Api api, const Refusal& refusal,
                               net::Headers headers = {});

Error log_is_away();  // durable capture could not store a call

// Which family of APIs a client of this API speaks.
Protocol protocol_of(wire::Api api);

}  // namespace understudy::live
