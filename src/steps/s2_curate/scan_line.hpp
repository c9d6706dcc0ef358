// One line of `understudy scan`'s input: {"id": ..., "text": "..."}. Most of the line is the text's
// escapes, so lines of just these two members are read without a tree; all others, and all that are
// wrong, are read by the JSON parser, which has the last word. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace understudy::s2 {

struct ScanLine {
  std::string id;  // as JSON: a text, a number, true, false or null
  std::string text;
};

// invalid_input where it is no JSON object with an id and a text.
Result<ScanLine> read_scan_line(std::string_view line);

}  // namespace understudy::s2
