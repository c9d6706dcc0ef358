#include <cstddef>
#include <cstdint>

#include "adapters/lm/endpoint_model.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto answer =
      understudy::lm::parse_endpoint_answer({reinterpret_cast<const char*>(data), size});
  if (answer && !(answer->confidence >= 0 && answer->confidence <= 1)) __builtin_trap();
  return 0;
}
