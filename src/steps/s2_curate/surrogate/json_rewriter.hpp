// Puts other strings and whole numbers into a JSON text in place of those that the caller changes.
// Everything else stays byte for byte: spaces, key order, the way that numbers and escapes are
// written. Strings within strings are walked as walk_json() does, and written back in their own
// encoding. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "steps/s2_curate/detect/json_walker.hpp"

namespace understudy::s2 {

// The new text, or nothing to keep the old one. For a number: digits; for a small one: a number.
using LeafRewrite = std::function<std::optional<std::string>(const JsonLeaf&)>;

// What became of the objects in arrays (messages, tools), which calls of one conversation repeat.
class RewriteMemo {
 public:
  virtual ~RewriteMemo() = default;
  // Null: not known, its leaves follow and then remember(). Else the new text, or nothing where it
  // stays; valid until the next call of a member.
  virtual const std::optional<std::string>* recall(const JsonObject& object) = 0;
  virtual void remember(const JsonObject& object, std::optional<std::string> changed) = 0;
};

// invalid_input for what is no JSON text. Nothing: no leaf was changed.
Result<std::optional<std::string>> rewrite_json(std::string_view json_text,
                                                const LeafRewrite& rewrite,
                                                RewriteMemo* memo = nullptr);

}  // namespace understudy::s2
