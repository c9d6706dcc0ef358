#include <cstddef>
#include <cstdint>
#include <string_view>

#include "steps/s5_tune/tuning_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)understudy::s5::parse_tuning_line({reinterpret_cast<const char*>(data), size});
  return 0;
}
