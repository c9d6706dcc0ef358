// Does a string look like a secret, or like words, code, or a form to fill in? Pure.
#pragma once

#include <string_view>

namespace understudy::s2 {

// Shannon entropy of the bytes: "aaaaaaaa" has 0, "hunter2hunter2" 2.6, random hex 3.5 and more.
double entropy_bits(std::string_view text);

// "your_key_here", "xxxxxxxx", "EXAMPLE": what documents write in place of a key.
bool is_placeholder(std::string_view value);
// The same for what stands behind a telling name, where "fake" and "null" count too.
bool is_placeholder_value(std::string_view value);

// Drawn at random rather than made of words ("sk-boosts-lung-cancer-portfolio" is a headline, "
// getConfluenceSpaceSearch" an identifier). Meant for 16 bytes and more.
bool looks_random(std::string_view text);

// For a value behind a telling name ("password = ..."): in quotes nearly everything that is no
// code; without quotes only what cannot be code, a path or a word.
enum class Quotes { none, some };
bool is_assigned_secret(std::string_view value, Quotes quotes, std::size_t bytes_min);

}  // namespace understudy::s2
