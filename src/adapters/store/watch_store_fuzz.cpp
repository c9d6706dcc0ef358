#include <cstddef>
#include <cstdint>

#include "adapters/store/watch_store.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)understudy::store::parse_vetoes(text);
  (void)understudy::store::parse_watches(text);
  (void)understudy::store::parse_demotions(text);
  return 0;
}
