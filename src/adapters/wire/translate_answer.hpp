// Whole answers between the chat and the messages API; see translate.hpp.
#pragma once

#include "adapters/wire/translate.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::wire {

Result<json::object> chat_answer_to_messages(const json::value& completion);
Result<json::object> messages_answer_to_chat(const json::value& message,
                                             const AnswerContext& context);

// "tool_calls" -> "tool_use" and so on; "end_turn" for what is unknown.
std::string_view stop_reason_of(std::string_view finish_reason);
// A usage object of the one API as one of the other; tokens from a cache are a part of OpenAI's
// prompt_tokens and stand beside Anthropic's input_tokens.
json::object usage_to_messages(const json::value& usage);
json::object usage_to_chat(const json::value& usage);

}  // namespace understudy::wire
