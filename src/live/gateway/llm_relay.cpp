#include "live/gateway/llm_relay.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "adapters/wire/errors.hpp"
#include "adapters/wire/response_facts.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "live/gateway/replies.hpp"

namespace understudy::live {

namespace {

constexpr std::int32_t client_closed_request = 499;  // nginx's number for it
constexpr std::chrono::milliseconds pause_step{20};  // a client that went away is noticed meanwhile

double random_share() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

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

// Of an error that a stream began with.
unsigned status_of(AnswerFault fault) {
  switch (fault) {
    case AnswerFault::rate_limited: return 429;
    case AnswerFault::credentials: return 401;
    case AnswerFault::context_length: return 400;
    default: return 503;
  }
}

}  // namespace

LlmRelay::LlmRelay(RelayParts parts) : parts_(std::move(parts)) {}

net::Async<void> LlmRelay::run() {
  parts_.call.status = CallStatus::cancelled;  // until something else is known
  parts_.exchange.on_client_gone([this] {
    client_gone_ = true;
    if (attempt_) attempt_->cancel();
  });
  try {
    co_await attempts();
  } catch (const std::exception& error) {
    log::warn(std::string("a relay failed: ") + error.what());
    parts_.call.status = CallStatus::failed;
    parts_.exchange.abort();
  }
  parts_.exchange.on_client_gone({});
  close_call();
}

net::Async<void> LlmRelay::attempts() {
  AttemptPlan plan(
      parts_.upstreams.targets(parts_.client.scan.model, protocol_of(parts_.client.api)),
      parts_.retries, parts_.budget);
  while (!client_gone_) {
    NextAttempt next = plan.next(Breaker::Clock::now(), random_share());
    if (next.kind == NextAttempt::Kind::stop) {
      co_await give_up(next);
      co_return;
    }
    if (next.kind == NextAttempt::Kind::wait) {
      if (!co_await pause(next.pause)) co_return;
      continue;
    }
    parts_.call.retries = plan.attempts() - 1;
    parts_.call.upstream = next.target->upstream->config.name;
    attempt_ = std::make_unique<Attempt>(*next.target, std::move(*next.permit));
    const Status opened = co_await attempt_->open(parts_.client);
    const Verdict verdict = judge(opened, plan);
    outcome_ = outcome_of(opened);
    if (verdict == Verdict::pass_on) co_await pass_on();
    const std::size_t counted = parts_.metrics.upstream(parts_.call.upstream);
    parts_.metrics.attempt_ended(counted, outcome_);
    if (plan.attempts() > 1) parts_.metrics.retried(counted);
    elsewhere_ns_ += attempt_->waited_ns();
    if (verdict != Verdict::try_again) co_return;
    attempt_.reset();
  }
}

// false: the client went away meanwhile.
net::Async<bool> LlmRelay::pause(std::chrono::milliseconds time) {
  const Stopwatch watch;
  while (!client_gone_ && watch.elapsed_us() < time.count() * 1'000)
    co_await net::sleep_for(std::min(pause_step, time));
  elsewhere_ns_ += watch.elapsed_ns();
  co_return !client_gone_;
}

LlmRelay::Verdict LlmRelay::judge(const Status& opened, AttemptPlan& plan) {
  if (client_gone_) return Verdict::client_gone;
  if (!opened) {
    failure_ = opened.error();
    if (failure_.code == ErrorCode::unsupported) {
      plan.exclude(attempt_->target());
    } else {
      attempt_->failed();
    }
    return Verdict::try_again;
  }
  const AnswerFault fault = attempt_->fault();
  if (blames_upstream(fault)) {
    attempt_->failed();
  } else if (fault != AnswerFault::none) {
    attempt_->succeeded();
  }
  switch (fault) {
    case AnswerFault::none:
    case AnswerFault::request:
    case AnswerFault::content_filter: return Verdict::pass_on;
    case AnswerFault::context_length: {
      const std::string_view larger = parts_.upstreams.larger(parts_.client.scan.model);
      if (larger.empty() || larger_tried_) return Verdict::pass_on;
      larger_tried_ = true;
      keep_answer();
      plan.replace(parts_.upstreams.targets(larger, protocol_of(parts_.client.api)));
      return Verdict::try_again;
    }
    case AnswerFault::credentials:
      plan.exclude(attempt_->target());
      if (!plan.has_untried()) return Verdict::pass_on;
      keep_answer();
      return Verdict::try_again;
    case AnswerFault::rate_limited:
    case AnswerFault::overloaded: break;
  }
  if (const auto after = attempt_->headers().find("retry-after")) {
    if (const auto wait = parse_retry_after(*after, now())) {
      const auto at = Breaker::Clock::now();
      plan.delay(attempt_->target(), *wait, at);
      attempt_->target().upstream->cool(attempt_->target().model, at + *wait);
    }
  }
  keep_answer();
  return Verdict::try_again;
}

telemetry::AttemptOutcome LlmRelay::outcome_of(const Status& opened) const {
  using enum telemetry::AttemptOutcome;
  if (client_gone_) return cancelled;
  if (!opened) {
    if (opened.error().code == ErrorCode::timeout) return timeout;
    if (opened.error().code == ErrorCode::invalid_input) return malformed;
    return opened.error().code == ErrorCode::unsupported ? client_error : unavailable;
  }
  switch (attempt_->fault()) {
    case AnswerFault::none: return ok;
    case AnswerFault::rate_limited: return rate_limited;
    case AnswerFault::overloaded: return server_error;
    default: return client_error;
  }
}

// A stream that began with an error, before anything reached the client, is an HTTP error after
// all.
void LlmRelay::keep_answer() {
  failure_ = {};
  refusal_ = {.api = attempt_->api(),
              .status = attempt_->status(),
              .headers = attempt_->headers(),
              .body = std::move(attempt_->held())};
  if (attempt_->events() == nullptr) return;
  const wire::ErrorFacts& error = attempt_->events()->error_facts();
  refusal_.api = parts_.client.api;
  refusal_.status = status_of(attempt_->fault());
  refusal_.headers.set("Content-Type", "application/json");
  refusal_.headers.remove("cache-control");
  refusal_.body = wire::error_body(refusal_.api, {.status = refusal_.status,
                                                  .message = error.message,
                                                  .type = error.type,
                                                  .code = error.code});
}

net::Async<void> LlmRelay::give_up(const NextAttempt& next) {
  net::Headers headers;
  if (refusal_.status == 0 && failure_.message.empty()) {
    // Nobody was asked: every upstream of this model is known to be down.
    const auto seconds = std::max<std::int64_t>(1, (next.pause.count() + 999) / 1'000);
    headers.add("Retry-After", std::to_string(seconds));
    parts_.call.status = CallStatus::failed;
    co_await refuse(503,
                    {.code = ErrorCode::unavailable,
                     .message = "the upstreams of this model are out of order",
                     .hint = "try again in " + std::to_string(seconds) + " s"},
                    std::move(headers));
    co_return;
  }
  if (refusal_.status == 0) {
    parts_.call.status = CallStatus::failed;
    co_await refuse(upstream_status(failure_), failure_);
    co_return;
  }
  parts_.call.status = CallStatus::upstream_error;
  parts_.call.first_byte_at = now();
  parts_.call.http_status = static_cast<std::int32_t>(refusal_.status);
  const auto error = wire::read_error(refusal_.body);
  parts_.call.error = error ? error->label() : "";
  std::string body = client_error(std::move(refusal_.body), refusal_.api, refusal_.status);
  parts_.call.response = SecretText(body);
  if (!co_await acknowledge()) co_return;
  co_await parts_.exchange.send(refusal_.status, client_headers(refusal_.headers), std::move(body));
}

net::Async<void> LlmRelay::pass_on() {
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

net::Async<void> LlmRelay::pass_on_whole() {
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
  if (!co_await acknowledge()) co_return;
  if (!co_await parts_.exchange.send(status, client_headers(attempt_->headers()), std::move(body)))
    parts_.call.status = CallStatus::cancelled;
}

// An answer that is too large to be held: its parts go through as they come, and a cut is passed on
// as one.
net::Async<void> LlmRelay::pass_on_parts() {
  if (attempt_->api() != parts_.client.api) {
    parts_.call.status = CallStatus::failed;
    co_await refuse(502, {.code = ErrorCode::exhausted,
                          .message = "the upstream's answer is too large to be translated",
                          .hint = {}});
    co_return;
  }
  std::string body;
  std::string part = std::move(attempt_->held());
  bool open =
      co_await parts_.exchange.begin(attempt_->status(), client_headers(attempt_->headers()));
  while (open && !part.empty()) {
    open = co_await parts_.exchange.write(part);
    if (!open) break;
    if (body.size() + part.size() <= limits::body_bytes_max) body += part;
    auto more = co_await attempt_->next();
    if (!more) {
      if (!client_gone_) attempt_->failed();
      parts_.call.status = client_gone_ ? CallStatus::cancelled : CallStatus::truncated;
      parts_.call.error = client_gone_ ? "" : "stream_interrupted";
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
  if (!co_await acknowledge()) co_return;
  if (!co_await parts_.exchange.finish()) parts_.call.status = CallStatus::cancelled;
}

net::Async<void> LlmRelay::pass_on_stream() {
  wire::StreamReader& events = *attempt_->events();
  const wire::StreamReader& shown = translated_ ? *translated_ : events;
  const bool durable = static_cast<bool>(parts_.before_last_byte);
  std::string held;  // durable: the end of the answer, until it is in the log
  bool open =
      co_await parts_.exchange.begin(attempt_->status(), client_headers(attempt_->headers()));
  std::string part = std::move(attempt_->held());
  while (open && !part.empty()) {
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
      if (!client_gone_) co_await break_off(next.error());
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
  complete(facts, shown.response_text());
  if (events.error().empty()) {
    attempt_->succeeded();
  } else {  // the upstream said so itself, in its own words
    attempt_->failed();
    parts_.call.status = CallStatus::upstream_error;
  }
  if (!co_await acknowledge()) co_return;
  if (!held.empty()) open = co_await parts_.exchange.write(held);
  if (!open || !co_await parts_.exchange.finish()) parts_.call.status = CallStatus::cancelled;
}

Result<std::string> LlmRelay::to_client_events(std::string events) {
  if (!translator_) return events;
  std::string bytes = TRY(translator_->feed(events));
  TRY(translated_->feed(bytes));
  return bytes;
}

// Never a clean end after a failure: an error event in the client's own API.
net::Async<void> LlmRelay::break_off(const Error& error) {
  attempt_->failed();
  outcome_ = error.code == ErrorCode::timeout         ? telemetry::AttemptOutcome::stalled
             : error.code == ErrorCode::invalid_input ? telemetry::AttemptOutcome::malformed
                                                      : telemetry::AttemptOutcome::cut;
  const wire::StreamReader& shown = translated_ ? *translated_ : *attempt_->events();
  wire::ResponseFacts facts = facts_of(shown);
  keep(facts, shown.response_text());
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
std::string LlmRelay::client_error(std::string body, wire::Api api, unsigned status) const {
  const wire::Api client = parts_.client.api;
  if (api == client) return wire::normalise_error(client, status, std::move(body));
  return wire::translate_error(api, client, status, body);
}

// Durable capture: the call is in the log before the client can take it for answered.
net::Async<bool> LlmRelay::acknowledge() {
  if (!parts_.before_last_byte) co_return true;
  parts_.call.ended_at = now();
  if (co_await parts_.before_last_byte()) co_return true;
  parts_.exchange.abort();
  co_return false;
}

net::Async<void> LlmRelay::refuse(unsigned status, const Error& error, net::Headers headers) {
  parts_.call.http_status = static_cast<std::int32_t>(status);
  parts_.call.error = std::string(to_string(error.code));
  for (const net::Header& header : parts_.extra.items()) headers.set(header.name, header.value);
  headers.set("Content-Type", "application/json");
  const std::string message =
      error.hint.empty() ? error.message : error.message + "; " + error.hint;
  std::string body = wire::error_body(
      parts_.client.api,
      {.status = status, .message = message, .type = {}, .code = to_string(error.code)});
  if (!co_await acknowledge()) co_return;
  co_await parts_.exchange.send(status, std::move(headers), std::move(body));
}

net::Headers LlmRelay::client_headers(const net::Headers& upstream) const {
  net::Headers headers = upstream.end_to_end();
  for (const net::Header& header : parts_.extra.items()) headers.set(header.name, header.value);
  return headers;
}

// The answer is through but for its last byte.
void LlmRelay::complete(wire::ResponseFacts& facts, std::string response) {
  Call& call = parts_.call;
  call.status = call.http_status < 400 ? CallStatus::ok : CallStatus::upstream_error;
  keep(facts, std::move(response));
  if (call.status == CallStatus::ok && call.finish_reason == "length")
    call.status = CallStatus::truncated;
}

void LlmRelay::keep(wire::ResponseFacts& facts, std::string response) {
  Call& call = parts_.call;
  call.served_model = std::move(facts.served_model);
  call.finish_reason = std::move(facts.finish_reason);
  call.usage = facts.usage.value_or(Usage{});
  if (call.error.empty()) call.error = std::move(facts.error);
  call.response = SecretText(std::move(response));
}

void LlmRelay::close_call() {
  Call& call = parts_.call;
  call.ended_at = now();
  if (call.status != CallStatus::cancelled) return;
  call.http_status = client_closed_request;
  // What was received before the client went away, with its partial usage.
  if (call.response.empty() && attempt_ && attempt_->events() != nullptr) {
    const wire::StreamReader& shown = translated_ ? *translated_ : *attempt_->events();
    wire::ResponseFacts facts = facts_of(shown);
    keep(facts, shown.response_text());
  }
  call.error = {};
}

}  // namespace understudy::live
