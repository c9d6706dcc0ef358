// UUIDs as text (RFC 9562, lower case) and as the 16 bytes that it stands for. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace understudy {

inline constexpr std::size_t uuid_bytes = 16;

std::string uuid_text(std::string_view bytes);

// Fills `out`; false for what uuid_text() would not give back exactly: another length, capitals.
bool parse_uuid(std::string_view text, std::array<char, uuid_bytes>& out);

}  // namespace understudy
