// Cuts text into words and what stands between them, the way that values are copied: "A-48213",
// "jo.li@x.org", "2026-03-05", "14:30" and "49.90" are one word each. Pure.
#pragma once

#include <string>
#include <string_view>

namespace understudy::lm {

// The word that `text` begins with; empty when it begins with something else.
std::string_view word_at(std::string_view text);

bool has_digit_or_at(std::string_view word);
bool is_capitalised(std::string_view word);

// "A-48213" -> "A-0000", "2026-03-05" -> "0000-0-0", "49.90" -> "0.0", every e-mail -> "a@a.a":
// runs of one class become one letter, digits one or, where there are at least four, four. Coarse
// on purpose: each shape is learned apart.
std::string shape_of(std::string_view word);

}  // namespace understudy::lm
