// One call of a model API from its head to its record: who may ask, what is asked, a small model or
// the LLM, and what of it goes into the call log. Lives on one I/O thread for one exchange.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/net/http_server.hpp"
#include "adapters/wire/api.hpp"
#include "adapters/wire/request_scan.hpp"
#include "adapters/wire/response_facts.hpp"
#include "live/access/access.hpp"
#include "live/gateway/audit_call.hpp"
#include "live/gateway/gateway.hpp"
#include "live/gateway/small_model_answer.hpp"
#include "records/call.hpp"

namespace understudy::live {

class CapturedCall {
 public:
  CapturedCall(const GatewayParts& parts, std::shared_ptr<const ActiveConfig> active,
               net::Exchange& exchange, wire::Api api)
      : parts_(parts),
        active_(std::move(active)),
        exchange_(exchange),
        api_(api),
        answer_memory_(parts.body_memory) {}

  net::Async<void> run();

 private:
  // Each answers the client itself where it returns false.
  net::Async<bool> read_request();
  net::Async<Result<void>> read_large_body();
  net::Async<bool> small_model_passes();
  std::optional<Refusal> admit();

  void begin_call();
  net::Async<void> answer_by_llm();
  void keep_for_audit(SmallModelAnswer& answer);
  void compare_in_shadow();
  net::Async<bool> record();  // durable: false when it is not on the disk
  net::Async<bool> record_durably();
  void settle();
  void measure();

  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool durable() const;

  const GatewayParts& parts_;
  std::shared_ptr<const ActiveConfig> active_;  // shared: a reload may replace it meanwhile
  net::Exchange& exchange_;
  wire::Api api_;
  // Of large bodies; until the call is recorded.
  std::optional<BodyMemory::Share> request_memory_;
  BodyMemory::Share answer_memory_;
  wire::RequestScan scan_;
  Grant grant_;
  Call call_;
  s1::SessionTracker::Ticket ticket_;
  std::optional<wire::ResponseFacts> facts_;  // of the answer, where they are known already
  net::Headers limits_;                       // x-ratelimit-* of the virtual key
  // Of a task in shadow: compared with the LLM's answer behind it.
  std::unique_ptr<Match> shadow_;
  std::unique_ptr<AuditOrder> audit_;  // an accepted call that the LLM is asked too
  std::string_view route_mode_;        // of the task that claims the call; empty: none does
  bool recorded_ = false;
  bool settled_ = false;
  std::int64_t elsewhere_ns_ = 0;  // waiting for the client's body, the upstream, the small model
};

}  // namespace understudy::live
