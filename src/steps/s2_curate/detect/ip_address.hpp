// IPv4 and IPv6 addresses as text: reading, a normal form, and which belong to nobody. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace understudy::s2 {

using Ipv6Groups = std::array<std::uint16_t, 8>;

bool is_ipv4(std::string_view text);
std::optional<Ipv6Groups> read_ipv6(std::string_view text);
std::string to_text(const Ipv6Groups& groups);  // lower case, longest run of zeros as "::"
std::optional<std::string> normalise_ipv6(std::string_view text);

// Loopback, "any", broadcast and netmasks: constants of programs, the same for everybody.
bool is_nobodys_address(std::string_view normalised);

}  // namespace understudy::s2
