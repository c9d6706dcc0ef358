// Any bytes in understudy.toml give settings or an error with a line.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "steps/s2_curate/curate_settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)understudy::s2::parse_curate_settings({reinterpret_cast<const char*>(data), size});
  return 0;
}
