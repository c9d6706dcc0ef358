// Letters of ASCII, without a locale; bytes of other characters stay as they are. Pure.
#pragma once

#include <string>
#include <string_view>

namespace understudy {

constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr char to_lower(char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; }

inline std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

}  // namespace understudy
