#include "live/gateway/llm_relay.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "adapters/wire/errors.hpp"
#include "base/clock.hpp"
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

std::optional<std::chrono::milliseconds> retry_after(const net::Headers& headers) {
  if (const auto ms = headers.find("retry-after-ms")) {
    if (const auto wait = parse_retry_after_ms(*ms)) return wait;
  }
  const auto after = headers.find("retry-after");
  return after ? parse_retry_after(*after, now()) : std::nullopt;
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

LlmRelay::LlmRelay(RelayParts parts) : answer_(std::move(parts)), parts_(answer_.parts()) {}

net::Async<void> LlmRelay::run() {
  parts_.call.status = CallStatus::cancelled;  // until something else is known
  parts_.exchange.on_client_gone([this] {
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
  while (!client_gone()) {
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
    if (verdict == Verdict::pass_on) {
      co_await answer_.pass_on(*attempt_);
      outcome_ = answer_.broken_off().value_or(outcome_);
    }
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
  while (!client_gone() && watch.elapsed_us() < time.count() * 1'000)
    co_await net::sleep_for(std::min(pause_step, time));
  elsewhere_ns_ += watch.elapsed_ns();
  co_return !client_gone();
}

LlmRelay::Verdict LlmRelay::judge(const Status& opened, AttemptPlan& plan) {
  if (client_gone()) return Verdict::client_gone;
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
      if (!attempt_->ended()) attempt_->began_well();
      return Verdict::pass_on;
    case AnswerFault::request:
    case AnswerFault::content_filter: return Verdict::pass_on;
    case AnswerFault::context_length: {
      const std::string_view larger = parts_.upstreams.larger(parts_.client.scan.model);
      if (larger.empty() || larger_tried_) return Verdict::pass_on;
      larger_tried_ = true;
      keep_refusal();
      plan.replace(parts_.upstreams.targets(larger, protocol_of(parts_.client.api)));
      return Verdict::try_again;
    }
    case AnswerFault::credentials:
      plan.exclude(attempt_->target());
      if (!plan.has_untried()) return Verdict::pass_on;
      keep_refusal();
      return Verdict::try_again;
    case AnswerFault::rate_limited:
    case AnswerFault::overloaded: break;
  }
  if (const auto wait = retry_after(attempt_->headers())) {
    const auto at = Breaker::Clock::now();
    plan.delay(attempt_->target(), *wait, at);
    attempt_->target().upstream->cool(attempt_->target().model, at + *wait);
  }
  keep_refusal();
  return Verdict::try_again;
}

telemetry::AttemptOutcome LlmRelay::outcome_of(const Status& opened) const {
  using enum telemetry::AttemptOutcome;
  if (client_gone()) return cancelled;
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
void LlmRelay::keep_refusal() {
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
    co_await answer_.refuse(503,
                            {.code = ErrorCode::unavailable,
                             .message = "the upstreams of this model are out of order",
                             .hint = "try again in " + std::to_string(seconds) + " s"},
                            std::move(headers));
    co_return;
  }
  if (refusal_.status == 0) {
    parts_.call.status = CallStatus::failed;
    co_await answer_.refuse(upstream_status(failure_), failure_);
    co_return;
  }
  co_await answer_.pass_on(std::move(refusal_));
}

void LlmRelay::close_call() {
  Call& call = parts_.call;
  call.ended_at = now();
  if (call.status != CallStatus::cancelled) return;
  call.http_status = client_closed_request;
  // What was received before the client went away, with its partial usage.
  if (attempt_) answer_.keep_partial(*attempt_);
  call.error = {};
}

}  // namespace understudy::live
