#include "base/hex.hpp"

namespace understudy {

std::optional<char> leading_percent_code(std::string_view text) {
  if (text.size() < 3 || text.front() != '%') return std::nullopt;
  const int byte = hex_byte(text[1], text[2]);
  if (byte < 0) return std::nullopt;
  return static_cast<char>(byte);
}

std::string decode_percent(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = leading_percent_code(text.substr(i));
    plain += byte.value_or(text[i]);
    if (byte) i += 2;
  }
  return plain;
}

}  // namespace understudy
