#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/lm/hf/blueprint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::lm;
  const auto config = ModelConfig::parse({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!config) return 0;
  GgufBuilder file;
  (void)blueprint_of(*config, file);
  return 0;
}
