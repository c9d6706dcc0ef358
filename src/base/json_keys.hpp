// Whether JSON says a member twice, which readers resolve differently: the tree keeps the last.
#pragma once

#include <string_view>

namespace understudy::json {

// Of any object in it. False for what is no JSON.
bool repeats_a_key(std::string_view text);

}  // namespace understudy::json
