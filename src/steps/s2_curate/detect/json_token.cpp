#include "steps/s2_curate/detect/json_token.hpp"

#include <cstdint>
#include <cstring>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

std::optional<std::uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    if (!is_hex(c)) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : to_lower(c) - 'a' + 10);
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xc0U | code >> 6U);
    return byte(0x80U | (code & 63U));
  }
  if (code < 0x10000) {
    byte(0xe0U | code >> 12U);
  } else {
    byte(0xf0U | code >> 18U);
    byte(0x80U | (code >> 12U & 63U));
  }
  byte(0x80U | (code >> 6U & 63U));
  byte(0x80U | (code & 63U));
}

struct Unit {
  std::size_t token_bytes = 1;
  std::uint32_t code = 0;
};

// One escape at `at`, a surrogate pair as one.
std::optional<Unit> read_escape(std::string_view token, std::size_t at) {
  if (at + 1 >= token.size()) return std::nullopt;
  switch (token[at + 1]) {
    case 'n': return Unit{2, '\n'};
    case 't': return Unit{2, '\t'};
    case 'r': return Unit{2, '\r'};
    case 'b': return Unit{2, '\b'};
    case 'f': return Unit{2, '\f'};
    case '"':
    case '\\':
    case '/': return Unit{2, static_cast<unsigned char>(token[at + 1])};
    case 'u': break;
    default: return std::nullopt;
  }
  const auto first = hex4(token.substr(at + 2));
  if (!first) return std::nullopt;
  if (*first >= 0xd800 && *first < 0xdc00 && token.substr(at + 6, 2) == "\\u") {
    const auto second = hex4(token.substr(at + 8));
    if (second && *second >= 0xdc00 && *second < 0xe000)
      return Unit{12, 0x10000 + ((*first - 0xd800) << 10U) + (*second - 0xdc00)};
  }
  const bool lone = *first >= 0xd800 && *first < 0xe000;
  return Unit{6, lone ? 0xfffd : *first};
}

std::size_t utf8_bytes(std::uint32_t code) {
  return code < 0x80 ? 1U : code < 0x800 ? 2U : code < 0x10000 ? 3U : 4U;
}

}  // namespace

std::optional<std::string> unescape_json(std::string_view token) {
  const std::string_view inside = token.substr(1, token.size() - 2);
  std::string out;
  out.reserve(inside.size());
  std::size_t at = 0;
  while (at < inside.size()) {
    const auto* escape =
        static_cast<const char*>(std::memchr(inside.data() + at, '\\', inside.size() - at));
    const std::size_t end =
        escape == nullptr ? inside.size() : static_cast<std::size_t>(escape - inside.data());
    out += inside.substr(at, end - at);
    if (escape == nullptr) break;
    const auto unit = read_escape(inside, end);
    if (!unit) return std::nullopt;
    append_utf8(out, unit->code);
    at = end + unit->token_bytes;
  }
  return out;
}

std::size_t TokenPlaces::of(std::size_t byte) {
  if (!escapes_) return 1 + byte;
  if (byte < byte_) {
    place_ = 1;
    byte_ = 0;
  }
  while (byte_ < byte && place_ + 1 < token_.size()) {
    if (token_[place_] != '\\') {
      ++place_;
      ++byte_;
      continue;
    }
    const auto unit = read_escape(token_.substr(0, token_.size() - 1), place_);
    if (!unit) break;
    place_ += unit->token_bytes;
    byte_ += utf8_bytes(unit->code);
  }
  return place_;
}

}  // namespace understudy::s2
