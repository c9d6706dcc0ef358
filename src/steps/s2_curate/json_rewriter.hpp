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

// The new text, or nothing to keep the old one. For a number: digits.
using LeafRewrite = std::function<std::optional<std::string>(const JsonLeaf&)>;

// invalid_input for what is no JSON text. Nothing: no leaf was changed.
Result<std::optional<std::string>> rewrite_json(std::string_view json_text,
                                                const LeafRewrite& rewrite);

}  // namespace understudy::s2
