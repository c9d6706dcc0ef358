#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/lm/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)understudy::lm::parse_safetensors({reinterpret_cast<const char*>(data), size});
  return 0;
}
