#include "live/gateway/replies.hpp"

#include <string>
#include <utility>

#include "adapters/wire/errors.hpp"

namespace understudy::live {

net::Headers json_headers() {
  net::Headers headers;
  headers.add("Content-Type", "application/json");
  return headers;
}

net::Async<bool> reply_json(net::Exchange& exchange, unsigned status, json::value body) {
  co_return co_await exchange.send(status, json_headers(), json::to_text(body));
}

net::Async<bool> reply_error(net::Exchange& exchange, wire::Api api, unsigned status, Error error,
                             net::Headers headers) {
  headers.set("Content-Type", "application/json");
  co_return co_await exchange.send(status, std::move(headers),
                                   wire::error_body(api, {.status = status,
                                                          .message = error.to_line(),
                                                          .type = {},
                                                          .code = to_string(error.code)}));
}

unsigned body_status(const Error& error) {
  switch (error.code) {
    case ErrorCode::exhausted: return 413;
    case ErrorCode::timeout: return 408;
    case ErrorCode::unavailable: return 503;
    default: return 400;
  }
}

unsigned upstream_status(const Error& error) {
  switch (error.code) {
    case ErrorCode::timeout: return 504;
    case ErrorCode::unsupported: return 400;  // the upstream's API cannot say it
    default: return 502;
  }
}

net::Async<bool> reply_refusal(net::Exchange& exchange, wire::Api api, const Refusal& refusal,
                               net::Headers headers) {
  headers.set("Content-Type", "application/json");
  if (refusal.retry_after_s) headers.set("Retry-After", std::to_string(*refusal.retry_after_s));
  if (!refusal.worth_retrying) headers.set("x-should-retry", "false");
  co_return co_await exchange.send(refusal.status, std::move(headers),
                                   wire::error_body(api, {.status = refusal.status,
                                                          .message = refusal.message,
                                                          .type = refusal.type,
                                                          .code = refusal.code}));
}

Error log_is_away() {
  return {.code = ErrorCode::unavailable,
          .message = "the call log takes no calls now, and unrecorded ones are not served",
          .hint = "try again later; the gateway's /health says why"};
}

Protocol protocol_of(wire::Api api) {
  return api == wire::Api::messages ? Protocol::anthropic : Protocol::openai;
}

}  // namespace understudy::live
