#include <cstddef>
#include <cstdint>

#include "steps/s4_select/catalogue.hpp"
#include "steps/s4_select/machine.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)understudy::s4::parse_catalogue(text, "fuzz");
  (void)understudy::s4::parse_meminfo(text);
  return 0;
}
