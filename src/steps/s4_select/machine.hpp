// What this machine has for a small model.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace understudy::s4 {

struct Machine {
  std::int64_t memory_bytes = 0;            // in all
  std::int64_t memory_available_bytes = 0;  // without pushing others out
  unsigned cores = 1;
};

// unavailable where the system does not say.
Result<Machine> probe_machine();
// From the text of /proc/meminfo.
Result<Machine> parse_meminfo(std::string_view text);

}  // namespace understudy::s4
