// What an upstream's refusal means for the call: whose fault it is, and whether another try,
// another upstream or a larger model may help. Pure.
#pragma once

#include "adapters/wire/errors.hpp"

namespace understudy::live {

enum class AnswerFault {
  none,            // it is an answer
  request,         // the request's own fault: passed on as it is, tried nowhere else
  content_filter,  // refused for its content: never routed around
  context_length,  // too long for this model: a larger one may take it
  credentials,     // 401, 403, no quota: the upstream's account is the trouble; another may help
  rate_limited,    // 429: after Retry-After, or elsewhere
  overloaded,      // 408, 5xx (529 too): again, or elsewhere; counts against the upstream
};

// `kind`: what wire::read_error or a stream's reader found in the answer.
AnswerFault fault_of(unsigned status, wire::ErrorKind kind);

constexpr bool worth_another_try(AnswerFault fault) {
  return fault == AnswerFault::rate_limited || fault == AnswerFault::overloaded;
}
// Whether the upstream's breaker should count it. A full quota is no outage, and neither is a wrong
// key that the client brought.
constexpr bool blames_upstream(AnswerFault fault) { return fault == AnswerFault::overloaded; }

}  // namespace understudy::live
