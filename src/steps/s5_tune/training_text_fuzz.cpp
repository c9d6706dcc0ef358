#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "steps/s5_tune/training_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream input(std::string(reinterpret_cast<const char*>(data), size));
  const auto examples = understudy::s5::read_training_text(input, "fuzz");
  if (!examples) return 0;
  for (const auto& example : *examples) {
    const std::string line = understudy::s5::to_training_line(example);
    if (!understudy::s5::parse_training_line(line)) __builtin_trap();
  }
  return 0;
}
