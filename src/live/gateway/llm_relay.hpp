// A captured call on its way to the LLM: attempts at the upstreams of its model until one has
// something to pass on, which AnswerRelay does then. The client's headers are held until the first
// byte, so that what fails before it is tried elsewhere unseen, or is a real HTTP status. Lives on
// one I/O thread for one exchange.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "live/gateway/answer_relay.hpp"
#include "live/gateway/attempt.hpp"
#include "live/upstreams/attempt_plan.hpp"

namespace understudy::live {

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
  void keep_refusal();
  net::Async<void> give_up(const NextAttempt& next);
  void close_call();
  [[nodiscard]] bool client_gone() const { return parts_.exchange.client_is_gone(); }

  AnswerRelay answer_;
  RelayParts& parts_;  // of answer_
  std::unique_ptr<Attempt> attempt_;
  bool larger_tried_ = false;
  telemetry::AttemptOutcome outcome_ = telemetry::AttemptOutcome::ok;
  std::int64_t elsewhere_ns_ = 0;
  UpstreamRefusal refusal_;  // the last one, for when no other answer comes
  Error failure_;            // the last attempt that brought no answer
};

}  // namespace understudy::live
