#include "console/web/reply.hpp"

namespace understudy::console {

namespace {

unsigned status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input: return 400;
    case ErrorCode::denied: return 403;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict: return 409;
    case ErrorCode::exhausted: return 507;
    case ErrorCode::unsupported: return 501;
    case ErrorCode::unavailable:
    case ErrorCode::timeout: return 503;
    default: return 500;
  }
}

}  // namespace

Reply refusal(unsigned status, const Error& error) {
  return {
      .status = status,
      .body = json::to_text(json::object{
          {"error",
           {{"message", error.message}, {"hint", error.hint}, {"code", to_string(error.code)}}}})};
}

Reply failure(const Error& error) { return refusal(status_of(error.code), error); }

Reply reply_of(Result<json::value> result) {
  if (!result) return failure(result.error());
  return {.body = json::to_text(*result)};
}

}  // namespace understudy::console
