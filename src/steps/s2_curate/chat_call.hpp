// Calls of every API as chat completions: from here on S2..S6 know one shape. Pure.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "records/call.hpp"

namespace understudy::s2 {

// Can a call of this API (Call::api) be read as a chat?
bool has_chat_form(std::string_view api);

// Request and response become the chat completions that they stand for; calls that are such stay as
// they are, byte for byte. invalid_input when their text is not of their API.
Status to_chat_form(Call& call);

}  // namespace understudy::s2
