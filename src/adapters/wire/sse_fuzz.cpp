// Whatever arrives and however it is cut, the stream parser neither crashes nor depends on the
// cuts.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "adapters/wire/chat_stream.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using understudy::wire::ChatStream;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ChatStream whole, bytewise;
  const bool fits = whole.feed(text).has_value();
  for (const char& byte : text) static_cast<void>(bytewise.feed({&byte, 1}));
  if (fits && (whole.completion() != bytewise.completion() || whole.done() != bytewise.done() ||
               whole.error() != bytewise.error())) {
    std::abort();
  }
  return 0;
}
