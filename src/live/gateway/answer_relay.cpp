#include "live/gateway/answer_relay.hpp"

#include <utility>

#include "adapters/wire/errors.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "live/gateway/replies.hpp"

namespace understudy::live {

namespace {

constexpr std::string_view no_memory = "no_memory_to_record_answer";
// A stream's memory is claimed in steps of this.
constexpr std::size_t claim_bytes = 16 * limits::kibi;

// What the call log needs, as a whole answer would have had it.
wire::ResponseFacts facts_of(const wire::StreamReader& events) {
  return {.id = events.response_id(),
          .served_model = events.served_model(),
          .finish_reason = events.finish_reason(),
          .usage = events.usage(),
          .error = events.error(),
          .error_kind = events.error_kind(),
          .mark = {},
          .is_json = true};
}

}  // namespace

AnswerRelay::AnswerRelay(RelayParts parts) : parts_(std::move(parts)) {}

net::Async<void> AnswerRelay::pass_on(Attempt& attempt) {
  attempt_ = &attempt;
  parts_.call.first_byte_at = now();
  parts_.call.http_status = static_cast<std::int32_t>(attempt_->status());
  if (attempt_->events() != nullptr) {
    if (attempt_->api() != parts_.client.api) {
      translator_ =
          wire::StreamTranslator::make(attempt_->api(), parts_.client.api, attempt_->answer());
      translated_ = wire::StreamReader::make(parts_.client.api);
    }
    co_await pass_on_stream();
  } else if (attempt_->ended()) {
    co_await pass_on_whole();
  } else {
    co_await pass_on_parts();
  }
}

// An upstream's own refusal, once nothing better came.
net::Async<void> AnswerRelay::pass_on(UpstreamRefusal refusal) {
  parts_.call.status = CallStatus::upstream_error;
  parts_.call.first_byte_at = now();
  parts_.call.http_status = static_cast<std::int32_t>(refusal.status);
  const auto error = wire::read_error(refusal.body);
  parts_.call.error = error ? error->label() : "";
  std::string body = client_error(std::move(refusal.body), refusal.api, refusal.status);
  parts_.call.response = SecretText(body);
  if (parts_.before_last_byte && !co_await acknowledge()) co_return;
  co_await parts_.exchange.send(refusal.status, client_headers(refusal.headers), std::move(body));
}

net::Async<void> AnswerRelay::pass_on_whole() {
  std::string body = std::move(attempt_->held());
  const unsigned status = attempt_->status();
  const wire::Api client = parts_.client.api;
  wire::ResponseFacts facts = std::move(attempt_->facts());
  if (status >= 400) {
    body = client_error(std::move(body), attempt_->api(), status);
  } else if (attempt_->api() != client) {
    auto translated = wire::translate_response(attempt_->api(), client, body, attempt_->answer());
    if (!translated) {
      attempt_->failed();
      parts_.call.status = CallStatus::failed;
      co_await refuse(502, translated.error());
      co_return;
    }
    body = std::move(*translated);
  }
  attempt_->succeeded();
  const bool is_own = status < 400 && attempt_->api() == client;
  complete(facts, body);
  if (is_own) parts_.facts = std::move(facts);
  if (parts_.before_last_byte && !co_await acknowledge()) co_return;
  if (!co_await parts_.exchange.send(status, client_headers(attempt_->headers()), std::move(body)))
    parts_.call.status = CallStatus::cancelled;
}

// An answer that is too large to be held: its parts go through as they come, and a cut is passed on
// as one.
net::Async<void> AnswerRelay::pass_on_parts() {
  if (attempt_->api() != parts_.client.api) {
    parts_.call.status = CallStatus::failed;
    co_await refuse(502, {.code = ErrorCode::exhausted,
                          .message = "the upstream's answer is too large to be translated",
                          .hint = {}});
    co_return;
  }
  std::string body;  // for the call log, as far as a record holds it
  std::string part = std::move(attempt_->held());
  bool open =
      co_await parts_.exchange.begin(attempt_->status(), client_headers(attempt_->headers()));
  while (open && !part.empty()) {
    open = co_await parts_.exchange.write(part);
    if (!open) break;
    if (unrecorded_.empty()) {
      if (body.size() + part.size() > limits::body_bytes_max) {
        stop_recording("answer_too_large_to_record");
      } else if (!parts_.answer_memory.take_now(part.size())) {
        stop_recording(no_memory);
      } else {
        body += part;
      }
      if (!unrecorded_.empty()) std::string().swap(body);
    }
    auto more = co_await attempt_->next();
    if (!more) {
      if (!parts_.exchange.client_is_gone()) attempt_->failed();
      parts_.call.status =
          parts_.exchange.client_is_gone() ? CallStatus::cancelled : CallStatus::truncated;
      parts_.call.error = parts_.exchange.client_is_gone() ? "" : "stream_interrupted";
      parts_.exchange.abort();
      co_return;
    }
    part = std::move(*more);
  }
  if (!open) co_return;
  attempt_->succeeded();
  wire::ResponseFacts facts = wire::read_response(parts_.client.api, body);
  complete(facts, std::move(body));
  parts_.facts = std::move(facts);
  if (parts_.before_last_byte && !co_await acknowledge()) co_return;
  if (!co_await parts_.exchange.finish()) parts_.call.status = CallStatus::cancelled;
}

net::Async<void> AnswerRelay::pass_on_stream() {
  wire::StreamReader& events = *attempt_->events();
  const wire::StreamReader& shown = translated_ ? *translated_ : events;
  const bool durable = static_cast<bool>(parts_.before_last_byte);
  std::string held;  // durable: the end of the answer, until it is in the log
  bool open =
      co_await parts_.exchange.begin(attempt_->status(), client_headers(attempt_->headers()));
  std::string part = std::move(attempt_->held());
  while (open && !part.empty()) {
    claim_memory();
    auto bytes = to_client_events(std::move(part));
    if (!bytes) {
      co_await break_off(bytes.error());
      co_return;
    }
    if (durable && events.complete()) {
      held += *bytes;
    } else if (!bytes->empty()) {
      open = co_await parts_.exchange.write(*bytes);
      if (!open) break;
    }
    auto next = co_await attempt_->next();
    if (!next) {
      // How the connection ends behind the API's own end says nothing.
      if (events.done() && !events.malformed() && !events.error_facts().foreign) break;
      if (!parts_.exchange.client_is_gone()) co_await break_off(next.error());
      co_return;
    }
    part = std::move(*next);
  }
  if (!open) co_return;
  if (translator_) held += translator_->finish();
  if (events.error().empty() && !events.complete()) {
    co_await break_off({.code = ErrorCode::unavailable,
                        .message = "the upstream ended its stream before the answer was complete",
                        .hint = {}});
    co_return;
  }
  wire::ResponseFacts facts = facts_of(shown);
  complete(facts, recordable(shown));
  if (events.error().empty()) {
    attempt_->succeeded();
  } else {  // the upstream said so itself, in its own words
    attempt_->failed();
    parts_.call.status = CallStatus::upstream_error;
  }
  if (parts_.before_last_byte && !co_await acknowledge()) co_return;
  // Clients stop reading, and some leave, at the API's own end.
  const bool is_through = events.done() && held.empty();
  if (!held.empty()) open = co_await parts_.exchange.write(held);
  const bool finished = open && co_await parts_.exchange.finish();
  if (!finished && !is_through) parts_.call.status = CallStatus::cancelled;
}

Result<std::string> AnswerRelay::to_client_events(std::string events) {
  if (!translator_) return events;
  std::string bytes = TRY(translator_->feed(events));
  TRY(translated_->feed(bytes));
  return bytes;
}

// Never a clean end after a failure: an error event in the client's own API.
net::Async<void> AnswerRelay::break_off(const Error& error) {
  attempt_->failed();
  broken_off_ = error.code == ErrorCode::timeout         ? telemetry::AttemptOutcome::stalled
                : error.code == ErrorCode::invalid_input ? telemetry::AttemptOutcome::malformed
                                                         : telemetry::AttemptOutcome::cut;
  const wire::StreamReader& shown = translated_ ? *translated_ : *attempt_->events();
  wire::ResponseFacts facts = facts_of(shown);
  keep(facts, recordable(shown));
  parts_.call.status = CallStatus::truncated;
  if (parts_.call.error.empty()) {
    parts_.call.error =
        error.code == ErrorCode::invalid_input ? "malformed_stream" : "stream_interrupted";
  }
  co_await parts_.exchange.write(wire::stream_error(parts_.client.api,
                                                    {.status = 502,
                                                     .message = error.message,
                                                     .type = "upstream_error",
                                                     .code = "stream_interrupted"},
                                                    &shown));
  co_await parts_.exchange.finish();
}

// An upstream's error as the client's SDK expects it.
std::string AnswerRelay::client_error(std::string body, wire::Api api, unsigned status) const {
  const wire::Api client = parts_.client.api;
  if (api == client) return wire::normalise_error(client, status, std::move(body));
  return wire::translate_error(api, client, status, body);
}

// Durable capture: the call is in the log before the client can take it for answered.
net::Async<bool> AnswerRelay::acknowledge() {
  parts_.call.ended_at = now();
  if (co_await parts_.before_last_byte()) co_return true;
  parts_.exchange.abort();
  co_return false;
}

net::Async<void> AnswerRelay::refuse(unsigned status, const Error& error, net::Headers headers) {
  parts_.call.http_status = static_cast<std::int32_t>(status);
  parts_.call.error = std::string(to_string(error.code));
  for (const net::Header header : parts_.extra.items()) headers.set(header.name, header.value);
  headers.set("Content-Type", "application/json");
  std::string body = wire::error_body(
      parts_.client.api,
      {.status = status, .message = error.to_line(), .type = {}, .code = to_string(error.code)});
  if (parts_.before_last_byte && !co_await acknowledge()) co_return;
  co_await parts_.exchange.send(status, std::move(headers), std::move(body));
}

net::Headers AnswerRelay::client_headers(const net::Headers& upstream) const {
  net::Headers headers = upstream.end_to_end();
  for (const net::Header header : parts_.extra.items()) headers.set(header.name, header.value);
  return headers;
}

void AnswerRelay::stop_recording(std::string_view why) {
  unrecorded_ = why;
  parts_.answer_memory.shrink_to(0);
}

void AnswerRelay::claim_memory() {
  wire::StreamReader& events = *attempt_->events();
  // Twice: at the end its parts are written into one body.
  const std::size_t kept =
      2 * (events.kept_bytes() + (translated_ ? translated_->kept_bytes() : 0));
  if (!unrecorded_.empty() || kept < claimed_bytes_ + BodyMemory::small_body_bytes) return;
  const std::size_t more = kept - claimed_bytes_ + claim_bytes - BodyMemory::small_body_bytes;
  if (parts_.answer_memory.take_now(more)) {
    claimed_bytes_ += more;
    return;
  }
  events.stop_keeping();
  if (translated_) translated_->stop_keeping();
  stop_recording(no_memory);
}

std::string AnswerRelay::recordable(const wire::StreamReader& shown) const {
  return unrecorded_.empty() ? shown.response_text() : std::string();
}

// The answer is through but for its last byte.
void AnswerRelay::complete(wire::ResponseFacts& facts, std::string response) {
  Call& call = parts_.call;
  call.status = call.http_status < 400 ? CallStatus::ok : CallStatus::upstream_error;
  keep(facts, std::move(response));
  if (call.error.empty()) call.error = unrecorded_;
  if (call.status == CallStatus::ok && (call.finish_reason == "length" || !unrecorded_.empty()))
    call.status = CallStatus::truncated;
}

void AnswerRelay::keep(wire::ResponseFacts& facts, std::string response) {
  Call& call = parts_.call;
  call.served_model = std::move(facts.served_model);
  call.finish_reason = std::move(facts.finish_reason);
  call.usage = facts.usage.value_or(Usage{});
  if (call.error.empty()) call.error = std::move(facts.error);
  call.response = SecretText(std::move(response));
}

void AnswerRelay::keep_partial(const Attempt& attempt) {
  if (!parts_.call.response.empty() || attempt.events() == nullptr) return;
  const wire::StreamReader& shown = translated_ ? *translated_ : *attempt.events();
  wire::ResponseFacts facts = facts_of(shown);
  keep(facts, recordable(shown));
}

}  // namespace understudy::live
