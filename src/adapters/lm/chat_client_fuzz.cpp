#include <cstddef>
#include <cstdint>

#include "adapters/lm/chat_client.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)understudy::lm::parse_chat_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
