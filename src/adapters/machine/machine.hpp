// What this machine has: memory, processor, GPUs, as the kernel says. Reads /proc and /sys, starts
// nothing. How fast it is, adapters/lm/compute_speed measures.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::machine {

struct Machine {
  std::int64_t memory_bytes = 0;            // in all
  std::int64_t memory_available_bytes = 0;  // without pushing others out
  unsigned cores = 1;                       // that this process may use
  std::string processor = {};               // "AMD EPYC 9R14"; empty where the kernel does not say
  std::vector<std::string> gpus =
      {};  // their names; whether a model can use them is another question
};

// unavailable where the system does not say how much memory it has.
Result<Machine> read_machine();
// Memory alone, from the text of /proc/meminfo.
Result<Machine> parse_meminfo(std::string_view text);
// The first processor's name in the text of /proc/cpuinfo; empty where there is none.
std::string parse_processor(std::string_view cpuinfo);

}  // namespace understudy::machine
