#include <cstddef>
#include <cstdint>

#include "adapters/lm/completion_client.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto completion =
      understudy::lm::parse_completion({reinterpret_cast<const char*>(data), size}, 2);
  if (completion && !(completion->token_probability_min >= 0)) __builtin_trap();
  return 0;
}
