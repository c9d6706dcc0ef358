// Any text is facts that survive being written, or an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/lm/served_facts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::lm;
  const auto facts = parse_served_facts({reinterpret_cast<const char*>(data), size});
  if (facts && !parse_served_facts(to_text(*facts))) __builtin_trap();
  return 0;
}
