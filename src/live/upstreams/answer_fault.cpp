#include "live/upstreams/answer_fault.hpp"

namespace understudy::live {

AnswerFault fault_of(unsigned status, wire::ErrorKind kind) {
  switch (kind) {
    case wire::ErrorKind::content_filter: return AnswerFault::content_filter;
    case wire::ErrorKind::context_length: return AnswerFault::context_length;
    // An exhausted account does not fill up in seconds.
    case wire::ErrorKind::quota:
    case wire::ErrorKind::authentication: return AnswerFault::credentials;
    case wire::ErrorKind::rate_limit: return AnswerFault::rate_limited;
    case wire::ErrorKind::overloaded: return AnswerFault::overloaded;
    case wire::ErrorKind::none:
    case wire::ErrorKind::other: break;
  }
  if (status < 400) return kind == wire::ErrorKind::none ? AnswerFault::none : AnswerFault::request;
  if (status == 408 || status >= 500) return AnswerFault::overloaded;
  if (status == 413) return AnswerFault::context_length;
  if (status == 429) return AnswerFault::rate_limited;
  if (status == 401 || status == 403) return AnswerFault::credentials;
  return AnswerFault::request;
}

}  // namespace understudy::live
