#include "live/gateway/attempt.hpp"

#include <utility>

#include "base/clock.hpp"
#include "base/limits.hpp"

namespace understudy::live {

namespace {

bool is_json(const net::Headers& headers) {
  const auto type = headers.find("content-type");
  return type && net::has_prefix(*type, "application/json");
}

bool is_event_stream(const net::Headers& headers) {
  const auto type = headers.find("content-type");
  return type && net::has_prefix(*type, "text/event-stream");
}

}  // namespace

net::Deadlines deadlines_of(const UpstreamConfig& config) {
  return {.connect = config.deadlines.connect,
          .first_byte = config.deadlines.first_byte,
          .idle = config.deadlines.idle,
          .total = config.deadlines.total};
}

Attempt::Attempt(const Target& target, Breaker::Permit permit)
    : target_(target),
      permit_(std::move(permit)),
      connection_(*target_.upstream->connection, deadlines_of(target_.upstream->config)) {}

net::Async<Status> Attempt::open(const ClientCall& call) {
  if (Status prepared = request_.prepare(call, target_); !prepared) co_return prepared;
  {
    const Stopwatch watch;
    const Status sent =
        co_await connection_.send("POST", request_.path, request_.headers, request_.body());
    waited_ns_ += watch.elapsed_ns();
    if (!sent) co_return sent;
  }
  if (status() < 400 && is_event_stream(headers())) events_ = wire::StreamReader::make(api());
  while (!ended_ && held_.size() <= limits::answer_held_bytes_max) {
    auto part = co_await next();
    if (!part) co_return fail(std::move(part).error());
    ended_ = part->empty() || (!events_ && connection_.finished());
    if (held_.empty()) {
      held_ = std::move(*part);
    } else {
      held_ += *part;
    }
    if (events_ && !held_.empty()) break;
  }
  if (events_ && held_.empty()) {
    co_return fail(ErrorCode::unavailable, "the upstream " + target_.upstream->config.url +
                                               " ended its stream before the first event");
  }
  if (!events_ && ended_) {
    facts_ = wire::read_response(api(), held_);
    if (status() < 400 && !facts_.is_json && is_json(headers())) {
      co_return fail(ErrorCode::invalid_input, "the upstream " + target_.upstream->config.url +
                                                   " sent an answer that is no JSON");
    }
  }
  co_return Status();
}

AnswerFault Attempt::fault() const {
  if (!events_) return fault_of(status(), facts_.error_kind);
  // Behind content the error is the client's to see, as without a gateway.
  if (events_->error_kind() == wire::ErrorKind::none || events_->has_content())
    return AnswerFault::none;
  // A stream has begun with 200 before its error: the error's type stands for the status.
  const bool request = events_->error_facts().type.contains("invalid_request");
  return fault_of(request ? 400 : 500, events_->error_kind());
}

net::Async<Result<std::string>> Attempt::next() {
  while (true) {
    if (error_was_given()) co_return std::string();  // whatever the upstream says behind it
    const Stopwatch watch;
    auto part = co_await connection_.read();
    waited_ns_ += watch.elapsed_ns();
    if (!part || !events_) co_return part;
    if (part->empty()) co_return last_words();
    auto events = whole_events(std::move(*part));
    if (!events || !events->empty()) co_return events;
  }
}

// Events go out whole, so that a cut never leaves half a one with the client, and none from the
// first one on that its SDK could not read. The bytes stay the same.
Result<std::string> Attempt::whole_events(std::string part) {
  TRY(events_->feed(part));
  std::string bytes = partial_.empty() ? std::move(part) : std::exchange(partial_, {}) + part;
  const auto ready = static_cast<std::size_t>(events_->clean_bytes() - given_bytes_);
  if (ready == 0) TRY(readable());
  if (ready < bytes.size()) {
    partial_ = bytes.substr(ready);
    bytes.resize(ready);
  }
  given_bytes_ += ready;
  return bytes;
}

// At the clean end: what is behind the last whole event is the upstream's own, too, unless no SDK
// could read it.
Result<std::string> Attempt::last_words() {
  TRY(readable());
  return std::exchange(partial_, {});
}

bool Attempt::error_was_given() const {
  return events_ && !events_->error().empty() && !events_->error_facts().foreign &&
         given_bytes_ == events_->clean_bytes();
}

// What is left may be forwarded.
Status Attempt::readable() const {
  if (events_->malformed()) {
    return fail(ErrorCode::invalid_input,
                "the upstream " + target_.upstream->config.url + " sent a malformed event");
  }
  if (events_->error_facts().foreign)
    return fail(ErrorCode::unavailable, events_->error_facts().message);
  return {};
}

void Attempt::cancel() { connection_.cancel(); }

void Attempt::succeeded() {
  if (permit_.undecided()) permit_.succeeded(Breaker::Clock::now());
}

void Attempt::began_well() {
  if (permit_.is_probe()) succeeded();
}

void Attempt::failed() {
  if (permit_.undecided()) permit_.failed(Breaker::Clock::now());
}

}  // namespace understudy::live
