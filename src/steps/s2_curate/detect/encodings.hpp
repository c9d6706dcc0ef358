// Text inside text: base64 and percent-encoding, both ways. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace understudy::s2 {

enum class Base64Alphabet { standard, url };

// Either alphabet, with or without padding. Absent where it is no base64.
std::optional<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes, Base64Alphabet alphabet);

std::string encode_percent(std::string_view text);  // decode_percent(): base/hex.hpp

// A whole string that hides a readable text: base64 of 16 bytes and more, or with percent escapes.
// How it was encoded, so that a changed text can be put back.
struct Encoded {
  enum class Kind { base64, base64_url, percent };
  Kind kind = Kind::base64;
  bool padded = false;
  std::string text;
};
std::optional<Encoded> decode_whole(std::string_view text);
std::string encode_again(const Encoded& original, std::string_view changed);

}  // namespace understudy::s2
