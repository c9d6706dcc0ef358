// A captured call on its way to the LLM and back: attempts at the upstreams of its model until one
// has something to pass on, then the bytes go through unchanged (or translated) while a reader on
// the side collects what the call log needs. The client's headers are held until the first byte;
// what fails after that ends in an error that the client's SDK understands, never in a clean end.
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
  telemetry::Metrics& metrics;
  net::Headers extra;  // for the client
  // Awaited when the call is complete but for the last byte to the client; false: that byte must
  // not go out (durable capture failed). Empty: nothing to wait for.
  std::function<net::Async<bool>()> before_last_byte;
};

class LlmRelay {
 public:
  explicit LlmRelay(RelayParts parts);

  // Until the answer is through, everything failed, or the client went away (which cancels the
  // upstream at once). Afterwards `call` is complete. Never throws.
  net::Async<void> run();

  [[nodiscard]] std::int64_t elsewhere_ns() const { return elsewhere_ns_; }  // spent waiting for it

 private:
  enum class Verdict { pass_on, try_again, client_gone };

  net::Async<void> attempts();
  net::Async<bool> pause(std::chrono::milliseconds time);
  Verdict judge(const Status& opened, AttemptPlan& plan);
  [[nodiscard]] telemetry::AttemptOutcome outcome_of(const Status& opened) const;
  void keep_answer();
  net::Async<void> give_up(const NextAttempt& next);

  net::Async<void> pass_on();
  net::Async<void> pass_on_whole();
  net::Async<void> pass_on_parts();
  net::Async<void> pass_on_stream();
  net::Async<bool> acknowledge();
  Result<std::string> to_client_events(std::string events);
  net::Async<void> break_off(const Error& error);
  net::Async<void> refuse(unsigned status, const Error& error, net::Headers headers = {});
  [[nodiscard]] std::string client_error(std::string body, wire::Api api, unsigned status) const;
  [[nodiscard]] net::Headers client_headers(const net::Headers& upstream) const;

  void complete(wire::ResponseFacts& facts, std::string response);
  // Takes what the call needs from `facts`.
  void keep(wire::ResponseFacts& facts, std::string response);
  void close_call();

  RelayParts parts_;
  std::unique_ptr<Attempt> attempt_;
  bool client_gone_ = false;
  bool larger_tried_ = false;
  telemetry::AttemptOutcome outcome_ = telemetry::AttemptOutcome::ok;
  std::int64_t elsewhere_ns_ = 0;

  // The last refusal of an upstream, for when no other answer comes.
  struct Refusal {
    wire::Api api = wire::Api::chat_completions;
    unsigned status = 0;
    net::Headers headers;
    std::string body;
  };
  Refusal refusal_;
  Error failure_;  // the last attempt that brought no answer

  std::unique_ptr<wire::StreamTranslator> translator_;
  std::unique_ptr<wire::StreamReader> translated_;  // reads what the client gets
};

}  // namespace understudy::live
