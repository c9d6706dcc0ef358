// A request of Anthropic's messages API as a chat-completions request; see translate.hpp.
#pragma once

#include "adapters/wire/chat_to_messages.hpp"
#include "adapters/wire/translate.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::wire {

// What to do about a part that the chat API has no equal of.
enum class Untranslatable {
  refuse,  // an error: the request is to be answered
  mark,    // a part {"type": its type} in its place: the request is only to be looked at
};

Result<TranslatedTree> messages_to_chat(const json::value& request, const TranslateOptions& options,
                                        Untranslatable rule = Untranslatable::refuse);

}  // namespace understudy::wire
