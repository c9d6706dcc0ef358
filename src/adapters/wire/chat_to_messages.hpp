// A chat-completions request as a request of Anthropic's messages API; see translate.hpp.
#pragma once

#include "adapters/wire/translate.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::wire {

struct TranslatedTree {
  json::object body;
  AnswerContext answer;
};

// The tool that stands for response_format: its input is the answer.
inline constexpr std::string_view json_tool_name = "json_answer";

Result<TranslatedTree> chat_to_messages(const json::value& request,
                                        const TranslateOptions& options);

}  // namespace understudy::wire
