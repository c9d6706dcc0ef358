#include "base/uuid.hpp"

#include "base/hex.hpp"

namespace understudy {

namespace {

constexpr std::size_t text_bytes = 36;

bool is_dash(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

}  // namespace

std::string uuid_text(std::string_view bytes) {
  std::string text;
  text.reserve(text_bytes);
  for (const char byte : bytes) {
    if (is_dash(text.size())) text += '-';
    text += hex_digits[static_cast<unsigned char>(byte) >> 4U];
    text += hex_digits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

bool parse_uuid(std::string_view text, std::array<char, uuid_bytes>& out) {
  if (text.size() != text_bytes) return false;
  bool is_uuid = true;
  std::size_t at = 0;
  for (char& byte : out) {
    if (is_dash(at)) is_uuid &= text[at++] == '-';
    const int value = hex_byte(text[at], text[at + 1], lower_hex_value);
    is_uuid &= value >= 0;
    byte = static_cast<char>(value);
    at += 2;
  }
  return is_uuid;
}

}  // namespace understudy
