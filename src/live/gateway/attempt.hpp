// One try of one call at one upstream: sends, and reads until there is something worth passing on,
// so that a failure before that can be tried elsewhere without the client noticing. After that it
// gives the rest, whole events at a time. Tells the upstream's breaker how it went. Lives on one
// I/O thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "adapters/net/upstream.hpp"
#include "adapters/wire/response_facts.hpp"
#include "adapters/wire/stream_reader.hpp"
#include "live/gateway/upstream_request.hpp"
#include "live/upstreams/answer_fault.hpp"
#include "live/upstreams/breaker.hpp"
#include "live/upstreams/upstream_set.hpp"

namespace understudy::live {

net::Deadlines deadlines_of(const UpstreamConfig& config);

class Attempt {
 public:
  Attempt(const Target& target, Breaker::Permit permit);

  // Until the first whole event of a stream, or the end of an answer of at most
  // limits::answer_held_bytes_max. unavailable, timeout, cancelled; invalid_input: what came is no
  // answer of this API.
  net::Async<Status> open(const ClientCall& call);

  [[nodiscard]] unsigned status() const { return connection_.status(); }
  [[nodiscard]] const net::Headers& headers() const { return connection_.headers(); }
  [[nodiscard]] wire::Api api() const { return request_.api; }
  [[nodiscard]] const wire::AnswerContext& answer() const { return request_.answer; }
  // Reads a stream's events; null for an answer that is no stream.
  [[nodiscard]] wire::StreamReader* events() const { return events_.get(); }
  // The answer is a refusal, or a stream that began with one.
  [[nodiscard]] AnswerFault fault() const;
  // Of an answer that is no stream and was read to its end.
  [[nodiscard]] wire::ResponseFacts& facts() { return facts_; }

  [[nodiscard]] std::string& held() { return held_; }  // what open() read
  [[nodiscard]] bool ended() const { return ended_; }  // there is nothing behind it
  // More of it; empty at the clean end. Streams: whole events only. The same errors as open().
  net::Async<Result<std::string>> next();

  void cancel();  // the pending await returns ErrorCode::cancelled
  void succeeded();
  void failed();
  // Its answer goes on for who knows how long: where it is a breaker's probe, it has shown enough.
  void began_well();

  // Spent waiting for the upstream: the rest of a call's time is our own.
  [[nodiscard]] std::int64_t waited_ns() const { return waited_ns_; }
  [[nodiscard]] const Target& target() const { return target_; }

 private:
  Result<std::string> whole_events(std::string part);
  Result<std::string> last_words();
  [[nodiscard]] Status readable() const;
  [[nodiscard]] bool error_was_given() const;

  Target target_;
  Breaker::Permit permit_;
  UpstreamRequest request_;
  net::UpstreamCall connection_;
  std::unique_ptr<wire::StreamReader> events_;
  std::string held_;
  wire::ResponseFacts facts_;
  std::string partial_;            // of a stream: the event that is not complete yet
  std::uint64_t given_bytes_ = 0;  // of a stream: what next() has returned
  bool ended_ = false;
  std::int64_t waited_ns_ = 0;
};

}  // namespace understudy::live
