// What a verb's result looks like on stdout: JSON for scripts, or text for people.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::apps {

using Render = std::string (*)(const json::value&);

void print(std::string_view text);
// An error is passed on; nothing is printed then.
Status show(Result<json::value> result, bool as_json, Render render);

}  // namespace understudy::apps
