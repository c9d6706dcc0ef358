#include <cstddef>
#include <cstdint>

#include "adapters/machine/machine.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)understudy::machine::parse_meminfo(text);
  (void)understudy::machine::parse_processor(text);
  return 0;
}
