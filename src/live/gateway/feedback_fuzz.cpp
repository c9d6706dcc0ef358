// Any bytes as the body of the feedback endpoint.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "live/gateway/feedback.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(understudy::live::parse_feedback({reinterpret_cast<const char*>(data), size}));
  return 0;
}
