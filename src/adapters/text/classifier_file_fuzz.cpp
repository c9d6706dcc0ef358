// A classifier file of any bytes, with the checksum as it is and with a right one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "adapters/text/bytes_reader.hpp"
#include "adapters/text/classifier_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::text;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)parse_classifier_file(bytes);
  const std::string checked = with_checksum(bytes);
  // What is accepted is what to_bytes() writes, to the byte.
  if (const auto model = parse_classifier_file(checked); model && to_bytes(*model) != checked)
    std::abort();
  return 0;
}
