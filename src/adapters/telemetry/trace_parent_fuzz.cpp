#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "adapters/telemetry/trace_parent.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parent =
      understudy::telemetry::parse_trace_parent({reinterpret_cast<const char*>(data), size});
  if (parent && size < 55) std::abort();
  return 0;
}
