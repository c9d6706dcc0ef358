#include "adapters/net/api_reply.hpp"

#include <utility>

#include "base/limits.hpp"

namespace understudy::net {

unsigned status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input: return 400;
    case ErrorCode::denied: return 403;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict: return 409;
    case ErrorCode::exhausted: return 507;
    case ErrorCode::unsupported: return 501;
    case ErrorCode::unavailable:
    case ErrorCode::timeout: return 503;
    default: return 500;
  }
}

Async<Result<std::string>> read_small_body(Exchange& exchange) {
  std::string body;
  while (true) {
    auto part = co_await exchange.read_body_part();
    if (!part) co_return fail(std::move(part).error());
    if (part->empty()) co_return body;
    body += *part;
    if (body.size() > limits::admin_body_bytes_max)
      co_return fail(ErrorCode::invalid_input, "the body is too large");
  }
}

Async<void> send_reply(Exchange& exchange, ApiReply reply, Headers more) {
  more.add("Content-Type", reply.content_type);
  more.add("Cache-Control", "no-store");
  if (!reply.allow.empty()) more.add("Allow", reply.allow);
  if (reply.status == 401) more.add("WWW-Authenticate", "Bearer");
  if (reply.retry_after_s > 0) more.add("Retry-After", std::to_string(reply.retry_after_s));
  co_await exchange.send(reply.status, std::move(more), std::move(reply.body));
}

}  // namespace understudy::net
