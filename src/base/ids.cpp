#include "base/ids.hpp"

#include <sys/random.h>

#include <array>
#include <cstdint>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/uuid.hpp"

namespace understudy {

std::string make_uuid7() {
  std::array<std::uint8_t, uuid_bytes> bytes{};
  CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
        "the kernel gives random bytes");
  const auto millis = static_cast<std::uint64_t>(now().value / 1000);
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(millis >> (8 * (5 - i)));
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x70U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);
  return uuid_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace understudy
