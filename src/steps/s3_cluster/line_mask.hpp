// A line of a prompt without what changes from call to call: numbers, identifiers, dates, quoted
// values. Two lines of equal mask are the same line of the agent's code. Pure.
#pragma once

#include <string>
#include <string_view>

namespace understudy::s3 {

// Outer blanks go; a word with digits in it becomes "0", a quoted value "''". Keys of inline JSON
// stay. A short value behind a label ("Audience: night owls") becomes "*": few such values recur so
// often that each would look like a line of the template.
std::string mask_line(std::string_view line);

}  // namespace understudy::s3
