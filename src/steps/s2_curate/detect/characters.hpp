// Byte classes of UTF-8 text as the detectors need them, without a locale: ASCII, and the two-byte
// Latin letters (U+00C0 to U+024F) that names and mail addresses are made of. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/ascii.hpp"

namespace understudy::s2 {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_letter(char c) { return is_upper(c) || is_lower(c); }
constexpr bool is_alnum(char c) { return is_letter(c) || is_digit(c); }
constexpr bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; }

// Bytes of a Latin letter outside ASCII: C3..C9 followed by a continuation byte.
constexpr bool is_latin_lead(char c) { return c >= '\xc3' && c <= '\xc9'; }
constexpr bool is_continuation(char c) { return (c & '\xc0') == '\x80'; }

// A letter, a digit, an underscore, or a byte of a Latin letter before or at this place: a token
// goes on here. Other scripts (Chinese has no spaces) do not glue to a token.
constexpr bool continues_word_before(std::string_view text, std::size_t begin) {
  if (begin == 0) return false;
  const char c = text[begin - 1];
  // In text with unread escapes ("\nmary@x.org") the letter belongs to the escape.
  if ((c == 'n' || c == 't' || c == 'r') && begin >= 2 && text[begin - 2] == '\\') return false;
  if (is_alnum(c) || c == '_') return true;
  return is_continuation(c) && begin >= 2 && is_latin_lead(text[begin - 2]);
}
constexpr bool continues_word_after(std::string_view text, std::size_t end) {
  if (end >= text.size()) return false;
  return is_alnum(text[end]) || text[end] == '_' || is_latin_lead(text[end]);
}

std::string upper_ascii(std::string_view text);
std::string only_digits(std::string_view text);
std::string only_alnum(std::string_view text);

}  // namespace understudy::s2
