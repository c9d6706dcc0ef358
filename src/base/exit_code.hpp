// Exit codes that scripts can use; documented in README.md and in `understudy --help`.
#pragma once

#include "base/error.hpp"

namespace understudy {

enum ExitCode : int {
  exit_ok = 0,
  exit_failure = 1,
  exit_usage = 2,
  exit_bad_input = 3,
  exit_denied = 4,
  exit_not_found = 5,
  exit_unavailable = 6,
  exit_exhausted = 7,
  exit_corrupt = 8,
  exit_conflict = 9,
  exit_interrupted = 130,
};

int exit_code_of(ErrorCode code);
// What a program of ours that ended with `exit_code` met; internal for what none ends with.
ErrorCode error_code_of(int exit_code);

}  // namespace understudy
