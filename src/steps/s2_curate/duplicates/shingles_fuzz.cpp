// Bytes that no encode() wrote must be refused or read, never read past; what encode() wrote comes
// back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "steps/s2_curate/duplicates/shingles.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::s2;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)decode_shingles(bytes);
  const Shingles shingles = shingles_of(bytes);
  const auto again = decode_shingles(encode(shingles));
  if (!again || again->fives != shingles.fives || again->thirteens != shingles.thirteens)
    std::abort();
  return 0;
}
