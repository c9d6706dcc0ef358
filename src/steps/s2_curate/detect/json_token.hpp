// A string of a JSON text as it stands there, in quotes and with escapes. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace understudy::s2 {

// The text of a string token with its quotes. Absent: broken escapes.
std::optional<std::string> unescape_json(std::string_view token);

// Where the string that begins with the quote at `quote` ends.
struct StringEnd {
  std::size_t end = 0;  // behind its closing quote; 0: it has none
  bool escapes = false;
};
StringEnd json_string_end(std::string_view json, std::size_t quote);

struct JsonString {
  std::size_t end = 0;  // behind its closing quote
  std::string text;
};

// The string that begins with the quote at `quote`. Absent where it does not end, has a control
// character, a broken escape or half of a surrogate pair: no JSON text, to a strict reader.
std::optional<JsonString> read_json_string(std::string_view json, std::size_t quote);

// Where bytes of the unescaped text stand in the token. Cheap when they grow from call to call.
class TokenPlaces {
 public:
  explicit TokenPlaces(std::string_view token) : token_(token), escapes_(token.contains('\\')) {}
  std::size_t of(std::size_t byte);

 private:
  std::string_view token_;
  bool escapes_;
  std::size_t place_ = 1;
  std::size_t byte_ = 0;
};

}  // namespace understudy::s2
