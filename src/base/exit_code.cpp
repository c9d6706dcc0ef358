#include "base/exit_code.hpp"

namespace understudy {

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
    case ErrorCode::unsupported: return exit_bad_input;
    case ErrorCode::denied: return exit_denied;
    case ErrorCode::not_found: return exit_not_found;
    case ErrorCode::unavailable:
    case ErrorCode::timeout: return exit_unavailable;
    case ErrorCode::exhausted: return exit_exhausted;
    case ErrorCode::corrupt: return exit_corrupt;
    case ErrorCode::conflict: return exit_conflict;
    case ErrorCode::cancelled: return exit_interrupted;
    case ErrorCode::internal: return exit_failure;
  }
  return exit_failure;
}

ErrorCode error_code_of(int exit_code) {
  switch (exit_code) {
    case exit_bad_input: return ErrorCode::invalid_input;
    case exit_denied: return ErrorCode::denied;
    case exit_not_found: return ErrorCode::not_found;
    case exit_unavailable: return ErrorCode::unavailable;
    case exit_exhausted: return ErrorCode::exhausted;
    case exit_corrupt: return ErrorCode::corrupt;
    case exit_conflict: return ErrorCode::conflict;
    case exit_interrupted: return ErrorCode::cancelled;
    default: return ErrorCode::internal;
  }
}

}  // namespace understudy
