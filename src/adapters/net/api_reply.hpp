// What the small JSON APIs beside the gateway (the admin API, the console) have in common: the form
// of an answer, the status of an error, a body that must be small. What their errors look like in
// JSON is their own. For I/O threads.
#pragma once

#include <string>

#include "adapters/net/async.hpp"
#include "adapters/net/http_server.hpp"
#include "base/error.hpp"
#include "base/result.hpp"

namespace understudy::net {

struct ApiReply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::string allow = {};  // with 405
  int retry_after_s = 0;   // with 429
};

unsigned status_of(ErrorCode code);

// The body, up to limits::admin_body_bytes_max, far below the gateway's own; invalid_input beyond.
Async<Result<std::string>> read_small_body(Exchange& exchange);

// Never to be stored by anybody. `more`: headers that go with every answer of the API.
Async<void> send_reply(Exchange& exchange, ApiReply reply, Headers more);

}  // namespace understudy::net
