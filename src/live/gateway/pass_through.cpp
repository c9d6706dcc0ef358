#include "live/gateway/pass_through.hpp"

#include <utility>

#include "adapters/net/upstream.hpp"
#include "adapters/wire/errors.hpp"
#include "live/gateway/attempt.hpp"
#include "live/gateway/replies.hpp"
#include "live/gateway/upstream_request.hpp"

namespace understudy::live {

namespace {

// The request's body as it comes. An error of either side: `client` tells which.
struct Sent {
  Status status;
  bool client = false;
};

net::Async<Sent> send_request(net::Exchange& exchange, net::UpstreamCall& call,
                              const net::Headers& headers) {
  const net::HttpRequest& request = exchange.request();
  const bool has_body = exchange.content_length().value_or(1) > 0;
  if (!has_body) {
    co_return Sent{.status = co_await call.send(request.method, request.target, headers, {})};
  }
  if (Status begun = co_await call.begin_send(request.method, request.target, headers,
                                              exchange.content_length());
      !begun) {
    co_return Sent{.status = std::move(begun)};
  }
  while (true) {
    auto part = co_await exchange.read_body_part();
    if (!part) co_return Sent{.status = fail(std::move(part).error()), .client = true};
    if (part->empty()) break;
    // An upstream that has heard enough may answer before the end: finish_send() reads that answer.
    if (!co_await call.write_body(*part)) break;
  }
  co_return Sent{.status = co_await call.finish_send()};
}

}  // namespace

net::Async<void> pass_through(net::Exchange& exchange, PassThroughOptions options) {
  net::UpstreamCall call(*options.upstream.connection, deadlines_of(options.upstream.config));
  exchange.on_client_gone([&call] { call.cancel(); });
  const net::Headers headers =
      upstream_headers(exchange.request(), options.upstream, options.own_credentials);
  const Sent sent = co_await send_request(exchange, call, headers);
  if (!sent.status) {
    exchange.on_client_gone({});
    co_await reply_error(
        exchange, wire::Api::chat_completions,
        sent.client ? body_status(sent.status.error()) : upstream_status(sent.status.error()),
        sent.status.error());
    co_return;
  }
  bool open =
      co_await exchange.begin(call.status(), call.headers().end_to_end(), call.content_length());
  while (open) {
    auto part = co_await call.read();
    if (!part) {
      exchange.abort();
      break;
    }
    if (part->empty()) {
      co_await exchange.finish();
      break;
    }
    open = co_await exchange.write(*part);
  }
  exchange.on_client_gone({});
}

}  // namespace understudy::live
