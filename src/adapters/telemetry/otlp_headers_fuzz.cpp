#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "adapters/telemetry/spans.hpp"

// Whatever is accepted cannot end a header line early.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto headers =
      understudy::telemetry::parse_otlp_headers({reinterpret_cast<const char*>(data), size});
  if (!headers) return 0;
  for (const auto& [name, value] : *headers) {
    if (name.empty() || name.contains('\n') || value.contains('\n') || value.contains('\r'))
      std::abort();
  }
  return 0;
}
