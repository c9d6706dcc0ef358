#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/lm/hf/weights_directory.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)understudy::lm::parse_weights_index({reinterpret_cast<const char*>(data), size});
  return 0;
}
