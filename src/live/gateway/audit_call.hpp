// An accepted call that the LLM is asked too, after its client has the small model's answer: the
// audit that watches over live small models (live/route). One attempt, without a stream, with the
// credentials of the call; recorded in the call log as a call of its own with the reason "audit",
// which is fresh data for the task's next model. Few at once; what
// fails says nothing and is not tried again. Owns all that it needs: the call's exchange has ended.
#pragma once

#include <memory>

#include "adapters/net/http.hpp"
#include "adapters/wire/api.hpp"
#include "live/gateway/gateway.hpp"
#include "live/route/router.hpp"
#include "records/answer.hpp"
#include "records/call.hpp"

namespace understudy::live {

struct AuditOrder {
  std::shared_ptr<const ActiveConfig> active;  // shared: its upstreams outlive a reload
  net::HttpRequest request;
  wire::Api api = wire::Api::chat_completions;
  bool own_credentials = false;
  Match match;
  Answer small_model;
  Call call;  // seed_of_audit()
};

// What the audit's record has in common with the audited call's.
Call seed_of_audit(const Call& audited);

// On the caller's I/O thread, behind its back.
void start_audit(const GatewayParts& parts, std::unique_ptr<AuditOrder> order);

}  // namespace understudy::live
