// The list prices that Understudy comes with, in the format of prices.toml.
#pragma once

#include <string_view>

namespace understudy::economics {

std::string_view built_in_prices();

}  // namespace understudy::economics
