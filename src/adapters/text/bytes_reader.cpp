#include "adapters/text/bytes_reader.hpp"

#include <xxhash.h>

#include <cstdint>

namespace understudy::text {

std::string with_checksum(std::string body) {
  const std::uint64_t sum = XXH3_64bits(body.data(), body.size());
  body.append(reinterpret_cast<const char*>(&sum), sizeof(sum));
  return body;
}

std::expected<std::string_view, std::string_view> body_of(std::string_view bytes,
                                                          std::string_view magic) {
  std::uint64_t sum = 0;
  if (bytes.size() < magic.size() + sizeof(sum) || !bytes.starts_with(magic))
    return std::unexpected("it does not begin as one");
  const std::string_view checked = bytes.substr(0, bytes.size() - sizeof(sum));
  std::memcpy(&sum, bytes.data() + checked.size(), sizeof(sum));
  if (sum != XXH3_64bits(checked.data(), checked.size()))
    return std::unexpected("its checksum is wrong");
  return checked.substr(magic.size());
}

}  // namespace understudy::text
