#include "base/error.hpp"

namespace understudy {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input: return "invalid_input";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::denied: return "denied";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::exhausted: return "exhausted";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

Error Error::within(std::string_view context) const {
  return Error{.code = code, .message = std::string(context) + ": " + message, .hint = hint};
}

std::string Error::to_line() const { return hint.empty() ? message : message + "; " + hint; }
std::string Error::to_text() const { return hint.empty() ? message : message + "\n  " + hint; }

}  // namespace understudy
