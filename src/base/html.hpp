// Text for the reports' HTML pages. Pure.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace understudy::html {

std::string escaped(std::string_view text);  // stands in an element or in a quoted attribute
std::string in_groups(std::string digits);   // of three, set apart by a narrow space
std::string thousands(std::integral auto number) { return in_groups(std::to_string(number)); }

}  // namespace understudy::html
