#include "steps/s2_curate/detect/encodings.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/hex.hpp"
#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t encoded_bytes_min = 16;
constexpr std::string_view standard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_safe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> values = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < 64; ++i) {
    table[static_cast<unsigned char>(standard[i])] = static_cast<std::int8_t>(i);
    table[static_cast<unsigned char>(url_safe[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}();

// Words and punctuation rather than the bytes of a key or a picture.
bool is_readable(std::string_view text) {
  const auto strange = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && !is_space(c)) || byte == 0x7f || byte >= 0x80;
  };
  return std::ranges::none_of(text, strange);
}

bool is_base64_text(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return values[static_cast<unsigned char>(c)] >= 0 || c == '='; });
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::int8_t value = values[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xffU);
    }
  }
  return out;
}

std::string encode_base64(std::string_view bytes, Base64Alphabet alphabet) {
  const std::string_view letters = alphabet == Base64Alphabet::url ? url_safe : standard;
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      out += letters[(bits >> count) & 63U];
    }
  }
  if (count > 0) out += letters[(bits << (6 - count)) & 63U];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

std::string encode_percent(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_alnum(c) || std::string_view("-_.~/?=&+:").contains(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    }
  }
  return out;
}

std::optional<Encoded> decode_whole(std::string_view text) {
  if (text.size() < encoded_bytes_min || text.contains(' ')) return std::nullopt;
  if (text.contains('%')) {
    std::string decoded = decode_percent(text);
    if (decoded.size() == text.size() || !is_readable(decoded)) return std::nullopt;
    return Encoded{.kind = Encoded::Kind::percent, .text = std::move(decoded)};
  }
  if (!is_base64_text(text)) return std::nullopt;
  auto decoded = decode_base64(text);
  if (!decoded || decoded->size() < encoded_bytes_min * 3 / 4 || !is_readable(*decoded))
    return std::nullopt;
  const bool url = text.contains('-') || text.contains('_');
  return Encoded{.kind = url ? Encoded::Kind::base64_url : Encoded::Kind::base64,
                 .padded = text.size() % 4 == 0,
                 .text = std::move(*decoded)};
}

std::string encode_again(const Encoded& original, std::string_view changed) {
  if (original.kind == Encoded::Kind::percent) return encode_percent(changed);
  std::string out =
      encode_base64(changed, original.kind == Encoded::Kind::base64_url ? Base64Alphabet::url
                                                                        : Base64Alphabet::standard);
  while (!original.padded && out.ends_with('=')) out.pop_back();
  return out;
}

}  // namespace understudy::s2
