// Hexadecimal digits, and the percent encoding of URLs that is made of them. Not for keys: crypto's
// hex() and unhex() take the same time for all bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace understudy {

inline constexpr std::string_view hex_digits = "0123456789abcdef";

// A digit's value, lower case only; negative for anything else. By table: each recorded call has
// two or three UUIDs.
inline constexpr std::array<std::int8_t, 256> lower_hex_values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < hex_digits.size(); ++i)
    values[static_cast<unsigned char>(hex_digits[i])] = static_cast<std::int8_t>(i);
  return values;
}();
constexpr int lower_hex_value(char digit) {
  return lower_hex_values[static_cast<unsigned char>(digit)];
}

// The same for digits of either case.
constexpr int hex_value(char digit) {
  return lower_hex_value(digit >= 'A' && digit <= 'F' ? static_cast<char>(digit + ('a' - 'A'))
                                                      : digit);
}

// The byte that two digits stand for, each read by `value_of`; negative where one is none.
constexpr int hex_byte(char high, char low, int (*value_of)(char) = hex_value) {
  const int upper = value_of(high);
  const int lower = value_of(low);
  return (upper | lower) < 0 ? -1 : 16 * upper + lower;
}

// Lower case.
template <class Bytes>
std::string to_hex(const Bytes& bytes) {
  std::string hex;
  hex.reserve(2 * std::size(bytes));
  for (const auto byte : bytes) {
    hex += hex_digits[static_cast<unsigned char>(byte) >> 4U];
    hex += hex_digits[static_cast<unsigned char>(byte) & 15U];
  }
  return hex;
}

// Fills `bytes` from twice as many lower-case digits; false where one is none. What is behind them
// is not looked at.
template <class Bytes>
bool from_lower_hex(std::string_view digits, Bytes& bytes) {
  if (digits.size() < 2 * std::size(bytes)) return false;
  for (std::size_t i = 0; i < std::size(bytes); ++i) {
    const int byte = hex_byte(digits[2 * i], digits[2 * i + 1], lower_hex_value);
    if (byte < 0) return false;
    bytes[i] = static_cast<std::uint8_t>(byte);
  }
  return true;
}

// The byte of a "%40" that `text` begins with; nothing where it does not.
std::optional<char> leading_percent_code(std::string_view text);

// "%40" to "@"; a % without two digits stays as it is.
std::string decode_percent(std::string_view text);

}  // namespace understudy
