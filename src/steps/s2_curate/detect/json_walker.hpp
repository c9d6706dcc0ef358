// Walks the strings, keys and whole numbers of a JSON text, with the place of each in the text. A
// string that is itself JSON (the arguments of a tool call), or base64 or percent-encoded text, is
// walked as what it is, so that a value in it is seen without its escapes and with its own key.
// Where an object names what its value is ({"name": "phone", "value": ...}), in whatever order,
// the value stands under that name. Linear in the text; no tree is built.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "steps/s2_curate/detect/encodings.hpp"

namespace understudy::s2 {

struct JsonLeaf {
  enum class Kind { text, number, key, small_number };
  Kind kind = Kind::text;
  std::string_view text;  // unescaped
  std::string_view key;   // under which it stands; in an array the array's
  std::size_t depth = 0;  // of objects and arrays around it; strings within strings count on
  std::size_t begin = 0;  // of its token in the walked text, with the quotes
  std::size_t end = 0;
  std::size_t outermost = 0;  // begin of the token of the whole text that holds it; a rewriter's
};

// How strings within strings are met: the text inside, and where its token stands outside.
struct JsonNested {
  std::string_view text;  // JSON, or what Encoded holds
  std::string_view key;
  std::size_t depth = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  const Encoded* encoded = nullptr;  // null: JSON inside a string
};

struct JsonObject {
  std::string_view text;
  std::string_view key;
  std::size_t begin = 0;  // in the walked text
};

class JsonVisitor {
 public:
  virtual ~JsonVisitor() = default;
  virtual void leaf(const JsonLeaf& leaf) = 0;
  // False: take the string for a plain leaf after all.
  virtual bool nested(const JsonNested& nested) = 0;
  // An object in an array (a message, a tool): true where the visitor knows all of it already and
  // it need not be walked. If it is walked, `left` follows.
  virtual bool entered(const JsonObject&) { return false; }
  virtual void left(const JsonObject&) {}
  // Numbers that are too short, or have a sign or a fraction, to be anybody's.
  virtual void small_number(const JsonLeaf&) {}
};

inline constexpr std::size_t json_walk_depth_max = 4096;
inline constexpr std::size_t nested_texts_max = 4;  // a tool result in arguments in a message ...

// invalid_input for what is no JSON text, or one deeper than json_walk_depth_max. The leaves of an
// object may come in another order than they stand in.
Status walk_json(std::string_view json_text, JsonVisitor& visitor, std::string_view key = {},
                 std::size_t depth = 0);

// Could the text be a JSON object or array? Looks at its ends only.
bool looks_like_json(std::string_view text);

}  // namespace understudy::s2
