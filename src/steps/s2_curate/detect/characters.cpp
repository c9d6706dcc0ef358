#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

std::string upper_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_upper(c);
  return out;
}

std::string only_digits(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_digit(c)) out += c;
  }
  return out;
}

std::string only_alnum(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_alnum(c)) out += c;
  }
  return out;
}

}  // namespace understudy::s2
