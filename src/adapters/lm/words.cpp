#include "adapters/lm/words.hpp"

#include <algorithm>

namespace understudy::lm {

namespace {

constexpr std::size_t digits_many = 4;  // tells years, zip codes and ids from small numbers
constexpr std::size_t shape_bytes_max = 24;
constexpr std::string_view mail_shape = "a@a.a";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || is_upper(c) || static_cast<unsigned char>(c) >= 0x80;
}
bool is_word_char(char c) { return is_letter(c) || is_digit(c); }

char kind_of(char c) {
  if (is_digit(c)) return '0';
  if (is_upper(c)) return 'A';
  return is_letter(c) ? 'a' : c;
}

// Whether `c` holds its two neighbours together.
bool joins(char before, char c, char after) {
  if (!is_word_char(before) || !is_word_char(after)) return false;
  if (c == '-' || c == '_' || c == '.' || c == '@' || c == '+') return true;
  return (c == ':' || c == '/') && is_digit(before) && is_digit(after);
}

}  // namespace

std::string_view word_at(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size()) {
    if (is_word_char(text[end])) {
      ++end;
      continue;
    }
    if (end == 0 || end + 1 >= text.size()) break;
    if (!joins(text[end - 1], text[end], text[end + 1])) break;
    ++end;
  }
  return text.substr(0, end);
}

bool has_digit_or_at(std::string_view word) {
  return std::ranges::any_of(word, [](char c) { return is_digit(c) || c == '@'; });
}

bool is_capitalised(std::string_view word) { return !word.empty() && is_upper(word.front()); }

std::string shape_of(std::string_view word) {
  if (word.contains('@')) return std::string(mail_shape);  // their local parts look all alike
  std::string shape;
  for (std::size_t i = 0; i < word.size();) {
    const char kind = kind_of(word[i]);
    std::size_t run = 1;
    while (is_word_char(kind) && i + run < word.size() && kind_of(word[i + run]) == kind) ++run;
    shape +=
        kind == '0' && run >= digits_many ? std::string(digits_many, '0') : std::string(1, kind);
    i += run;
  }
  if (shape.size() > shape_bytes_max) shape.resize(shape_bytes_max);
  return shape;
}

}  // namespace understudy::lm
