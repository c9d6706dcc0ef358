// What an upstream answered on its way to the client: as it came, or translated, while a reader on
// the side collects what the call log needs. A whole answer goes in one piece, a stream event by
// event; what breaks off ends in an error that the client's SDK understands, never in a clean end.
// Lives on one I/O thread for one exchange.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/net/http_server.hpp"
#include "adapters/telemetry/metrics.hpp"
#include "adapters/wire/response_facts.hpp"
#include "adapters/wire/stream_reader.hpp"
#include "adapters/wire/translate.hpp"
#include "live/gateway/attempt.hpp"
#include "live/gateway/body_memory.hpp"
#include "live/upstreams/attempt_plan.hpp"
#include "records/call.hpp"

namespace understudy::live {

// What the relay works with; all of it outlives the relay.
struct RelayParts {
  net::Exchange& exchange;
  const ClientCall& client;
  Call& call;                                 // gets times, status and content as they become known
  std::optional<wire::ResponseFacts>& facts;  // of the answer, where it was read as a whole
  const UpstreamSet& upstreams;
  const RetryConfig& retries;
  RetryBudget& budget;
  BodyMemory::Share& answer_memory;  // for what the call log keeps of a large answer
  telemetry::Metrics& metrics;
  net::Headers extra;  // for the client
  // Awaited when the call is complete but for the last byte to the client; false: that byte must
  // not go out (durable capture failed). Empty: nothing to wait for.
  std::function<net::Async<bool>()> before_last_byte;
};

// What an upstream said instead of an answer.
struct UpstreamRefusal {
  wire::Api api = wire::Api::chat_completions;
  unsigned status = 0;  // 0: none
  net::Headers headers;
  std::string body;
};

class AnswerRelay {
 public:
  explicit AnswerRelay(RelayParts parts);

  // The rest of an opened attempt, to its end or until the client is gone.
  net::Async<void> pass_on(Attempt& attempt);
  net::Async<void> pass_on(UpstreamRefusal refusal);
  // Our own error, in the shape of the client's API.
  net::Async<void> refuse(unsigned status, const Error& error, net::Headers headers = {});
  // Of an answer that nobody waits for any more: what of it came.
  void keep_partial(const Attempt& attempt);

  // How an answer that had begun ended too early.
  [[nodiscard]] std::optional<telemetry::AttemptOutcome> broken_off() const { return broken_off_; }
  [[nodiscard]] RelayParts& parts() { return parts_; }

 private:
  net::Async<void> pass_on_whole();
  net::Async<void> pass_on_parts();
  net::Async<void> pass_on_stream();
  net::Async<bool> acknowledge();
  Result<std::string> to_client_events(std::string events);
  net::Async<void> break_off(const Error& error);
  [[nodiscard]] std::string client_error(std::string body, wire::Api api, unsigned status) const;
  [[nodiscard]] net::Headers client_headers(const net::Headers& upstream) const;

  // For lack of room: the answer passes on, the log gets none of its content.
  void stop_recording(std::string_view why);
  // Before more of a stream is kept: its share of the memory, or the answer goes unrecorded.
  void claim_memory();
  // A stream's answer for the log, as far as it came; empty without memory.
  [[nodiscard]] std::string recordable(const wire::StreamReader& shown) const;
  void complete(wire::ResponseFacts& facts, std::string response);
  // Takes what the call needs from `facts`.
  void keep(wire::ResponseFacts& facts, std::string response);

  RelayParts parts_;
  Attempt* attempt_ = nullptr;  // that is passed on
  std::optional<telemetry::AttemptOutcome> broken_off_;
  std::unique_ptr<wire::StreamTranslator> translator_;
  std::unique_ptr<wire::StreamReader> translated_;  // reads what the client gets
  std::size_t claimed_bytes_ = 0;                   // of a stream's answer
  std::string_view unrecorded_;                     // why the log does not get the answer's content
};

}  // namespace understudy::live
