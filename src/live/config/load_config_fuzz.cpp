#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "live/config/gateway_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::live;
  const auto config = parse_config({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!config) return 0;
  // What is accepted is safe to use without further checks.
  if (config->upstreams.empty()) std::abort();
  for (const ModelConfig& model : config->models) {
    if (model.targets.empty()) std::abort();
    for (const ModelTarget& target : model.targets)
      if (target.upstream >= config->upstreams.size()) std::abort();
  }
  (void)config->keys_required();
  return 0;
}
