// Which of the known words somebody may have meant by one that is not known. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace understudy {

// The word of `words` that takes the fewest edits, if few enough to be meant; else nothing.
std::string_view nearest(std::string_view word, const std::vector<std::string>& words);

}  // namespace understudy
