// The shapes of keys and tokens, one row each, from their providers' documentation: a literal that
// stands in the key, and what must stand before and behind it. The scanner finds the literal, the
// finder reads the rest. A key without a literal of its own (32 hex digits) is known by the name
// that it is assigned to: see NamedFormat. Pure data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace understudy::s2 {

enum class Alphabet : std::uint8_t {
  digits,
  hex,  // either case
  lower_hex,
  upper_alnum,
  lower_alnum,
  alnum,
  word,      // letters, digits, "_"
  url_safe,  // letters, digits, "_", "-"
  base64,    // letters, digits, "+", "/", "="
  token,     // letters, digits, "_", "-", ".", "~", "+", "/", "="
  uuid,      // hex digits and "-"
  hex_pair,  // hex digits and ":"
};

bool is_in(Alphabet alphabet, char c);

struct Run {
  Alphabet alphabet = Alphabet::alnum;
  std::size_t min = 0;
  std::size_t max = 0;
};

struct SecretFormat {
  std::string_view kind;
  std::string_view literal;
  Run behind;
  Run before = {};
};
std::span<const SecretFormat> secret_formats();

// "heroku_api_key = 01234567-89ab-...": `name` somewhere in the name, the value of this shape.
struct NamedFormat {
  std::string_view kind;
  std::string_view name;  // lower case
  Run value;
};
std::span<const NamedFormat> named_formats();

}  // namespace understudy::s2
