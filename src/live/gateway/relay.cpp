#include "live/gateway/relay.hpp"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <utility>

#include "adapters/wire/chat.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"

namespace understudy::live {

namespace {

bool is_event_stream(const net::Headers& headers) {
  const auto type = headers.find("content-type");
  return type && type->starts_with("text/event-stream");
}

constexpr std::int32_t client_closed_request = 499;  // nginx's number for it

std::string error_event(std::string_view message) {
  return "data: " + wire::error_body(message, "upstream_error", "stream_interrupted") + "\n\n";
}

}  // namespace

net::Headers client_headers(const net::Headers& upstream, const net::Headers& extra) {
  net::Headers headers = upstream.end_to_end();
  for (const net::Header& header : extra.items()) headers.set(header.name, header.value);
  return headers;
}

net::Async<void> Relay::run(net::Headers headers) {
  using namespace boost::asio::experimental::awaitable_operators;
  call_.status = CallStatus::cancelled;  // until the transfer says otherwise
  const auto first = co_await (transfer(std::move(headers)) || exchange_.client_gone());
  if (first.index() == 1) {
    exchange_.abort();
    // What the transfer saw of its own cancellation is no failure of the upstream.
    call_.status = CallStatus::cancelled;
    call_.http_status = client_closed_request;
    call_.error = {};
  }
  close_call();
}

net::Async<void> Relay::transfer(net::Headers headers) {
  try {
    auto answer = co_await upstream_.send("POST", exchange_.request().target, std::move(headers),
                                          exchange_.request().body);
    if (!answer) {
      call_.status = CallStatus::failed;
      co_await refuse(answer.error().code == ErrorCode::timeout ? 504 : 502, answer.error());
      co_return;
    }
    // The client's headers are held until the first byte: a failure before it is a real HTTP
    // status.
    auto first = co_await (*answer)->read();
    call_.first_byte_at = now();
    call_.http_status = static_cast<std::int32_t>((*answer)->status());
    if (!first) {
      call_.status = CallStatus::failed;
      co_await refuse(502, first.error());
      co_return;
    }
    is_stream_ = is_event_stream((*answer)->headers());
    if (is_stream_) {
      co_await stream(**answer, std::move(*first));
    } else {
      co_await whole(**answer, std::move(*first));
    }
  } catch (const boost::system::system_error& error) {
    // Cancelled because the client went away, or a defect of a peer; either way the call ends here.
    if (error.code() != boost::asio::error::operation_aborted)
      log::warn(std::string("a relay failed: ") + error.what());
  }
}

net::Async<void> Relay::whole(net::UpstreamAnswer& answer, std::string first) {
  body_ = std::move(first);
  while (!body_.empty()) {
    auto part = co_await answer.read();
    if (!part || body_.size() + part->size() > limits::body_bytes_max) {
      call_.status = CallStatus::truncated;
      co_await refuse(502, part ? Error{.code = ErrorCode::exhausted,
                                        .message = "the upstream's answer is too large",
                                        .hint = {}}
                                : part.error());
      co_return;
    }
    if (part->empty()) break;
    body_ += *part;
  }
  complete_ = true;
  call_.status = answer.status() < 400 ? CallStatus::ok : CallStatus::upstream_error;
  const bool sent =
      co_await exchange_.send(answer.status(), client_headers(answer.headers(), extra_), body_);
  if (!sent) call_.status = CallStatus::cancelled;
}

net::Async<void> Relay::stream(net::UpstreamAnswer& answer, std::string first) {
  bool open = co_await exchange_.begin(answer.status(), client_headers(answer.headers(), extra_));
  std::string part = std::move(first);
  while (open && !part.empty()) {
    open = co_await exchange_.write(complete_events(std::move(part)));
    if (!open) break;
    auto next = co_await answer.read();
    if (!next) {
      call_.status = CallStatus::truncated;
      call_.error = "stream_interrupted";
      // Never a clean end after a failure: an error event, and no [DONE].
      co_await exchange_.write(error_event(next.error().message));
      co_await exchange_.finish();
      co_return;
    }
    part = std::move(*next);
  }
  if (!open) co_return;
  // The upstream ended by itself: what it wrote last is its own, whole or not.
  if (!held_.empty()) co_await exchange_.write(std::exchange(held_, {}));
  complete_ = events_.done() || events_.finished();
  call_.status = !events_.error().empty() ? CallStatus::upstream_error
                 : complete_              ? CallStatus::ok
                                          : CallStatus::truncated;
  if (!complete_ && events_.error().empty() && answer.status() < 400) {
    call_.error = "stream_interrupted";
    co_await exchange_.write(
        error_event("the upstream ended its stream before the answer was complete"));
  }
  if (!co_await exchange_.finish()) call_.status = CallStatus::cancelled;
}

// Events go out whole, so that a cut never leaves half a one with the client. The bytes stay the
// same.
std::string Relay::complete_events(std::string part) {
  if (captured_) {
    if (const Status parsed = events_.feed(part); !parsed) {
      captured_ = false;  // said once, not with every part
      log::warn("a stream is relayed but not captured: " + parsed.error().message);
    }
  }
  std::string bytes = std::exchange(held_, {}) + part;
  if (!captured_) return bytes;
  const std::size_t ready = bytes.size() - std::min(bytes.size(), events_.pending_bytes());
  held_ = bytes.substr(ready);
  bytes.resize(ready);
  return bytes;
}

net::Async<void> Relay::refuse(unsigned status, const Error& error) {
  call_.http_status = static_cast<std::int32_t>(status);
  call_.error = std::string(to_string(error.code));
  net::Headers headers = extra_;
  headers.set("Content-Type", "application/json");
  const std::string message =
      error.hint.empty() ? error.message : error.message + "; " + error.hint;
  co_await exchange_.send(status, std::move(headers),
                          wire::error_body(message, "upstream_error", to_string(error.code)));
}

void Relay::close_call() {
  call_.ended_at = now();
  json::value completion;
  if (is_stream_) {
    completion = events_.completion();
  } else if (auto tree = json::parse(body_); tree && tree->is_object()) {
    completion = std::move(*tree);
  }
  if (!completion.is_object()) return;
  call_.served_model = json::string_or(completion, "model");
  if (const json::array* choices = json::find_array(completion, "choices");
      choices != nullptr && !choices->empty()) {
    call_.finish_reason = json::string_or(choices->front(), "finish_reason");
  }
  if (call_.status == CallStatus::ok && call_.finish_reason == "length")
    call_.status = CallStatus::truncated;
  if (call_.error.empty())
    call_.error = is_stream_ ? events_.error() : wire::error_label(completion);
  call_.response = SecretText(is_stream_ ? json::to_text(completion) : body_);
  if (const json::value* usage = json::find(completion, "usage")) {
    call_.usage = {
        .prompt_tokens = json::find_integer(*usage, "prompt_tokens").value_or(0),
        .completion_tokens = json::find_integer(*usage, "completion_tokens").value_or(0)};
  }
}

}  // namespace understudy::live
