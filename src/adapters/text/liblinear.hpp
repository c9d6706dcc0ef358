// liblinear, which writes to stdout unless it is told not to. Private to adapters/text.
#pragma once

#include <linear.h>

#include <mutex>

namespace understudy::text {

inline void silence_liblinear() {
  static std::once_flag once;
  std::call_once(once, [] { set_print_string_function([](const char*) {}); });
}

}  // namespace understudy::text
