#include <cstddef>
#include <cstdint>

#include "steps/s4_select/catalogue.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)understudy::s4::parse_catalogue(text, "fuzz");
  return 0;
}
