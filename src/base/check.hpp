// CHECK(condition, "why"): a broken invariant of ours stops the program, in release too. Never for
// user input: that is a Result.
#pragma once

namespace understudy {
[[noreturn]] void check_failed(const char* condition, const char* why, const char* file, int line);
}

#define CHECK(condition, why)            \
  (static_cast<bool>(condition) ? void() \
                                : ::understudy::check_failed(#condition, why, __FILE__, __LINE__))
