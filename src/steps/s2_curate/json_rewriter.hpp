// Walks the strings, keys and whole numbers of a JSON text and puts other ones in place of those
// that the visitor changes. Everything else stays byte for byte: spaces, key order, the way that
// numbers and escapes are written. A string that is itself a JSON object or array (the arguments of
// a tool call, a tool's result) is walked as such, so that a value in it is seen without its
// escapes and with its own key. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace understudy::s2 {

struct JsonLeaf {
  enum class Kind { text, number, key };
  Kind kind = Kind::text;
  std::string_view text;  // unescaped
  std::string_view key;   // under which it stands; in an array the array's
  std::size_t depth = 0;  // of objects and arrays around it; strings within strings count on
};

// The new text, or nothing to keep the old one. For a number: digits.
using JsonVisitor = std::function<std::optional<std::string>(const JsonLeaf&)>;

// invalid_input for what is no JSON text. Nothing: the visitor changed nothing.
Result<std::optional<std::string>> rewrite_json(std::string_view json_text,
                                                const JsonVisitor& visit);

}  // namespace understudy::s2
