#include "steps/s2_curate/detect/ip_address.hpp"

#include <arpa/inet.h>

#include <cstring>

namespace understudy::s2 {

bool is_ipv4(std::string_view text) {
  in_addr address{};
  return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

std::optional<Ipv6Groups> read_ipv6(std::string_view text) {
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &address, bytes.size());
  Ipv6Groups groups{};
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  return groups;
}

std::string to_text(const Ipv6Groups& groups) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    bytes[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    bytes[2 * i + 1] = static_cast<std::uint8_t>(groups[i] & 0xff);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, bytes.data(), text.data(), static_cast<socklen_t>(text.size()));
  return text.data();
}

std::optional<std::string> normalise_ipv6(std::string_view text) {
  const auto groups = read_ipv6(text);
  if (!groups) return std::nullopt;
  return to_text(*groups);
}

bool is_nobodys_address(std::string_view normalised) {
  return normalised.starts_with("127.") || normalised.starts_with("0.") ||
         normalised.starts_with("255.") || normalised == "::" || normalised == "::1";
}

}  // namespace understudy::s2
