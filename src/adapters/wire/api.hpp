// The model APIs that the gateway speaks with its clients. Each has its own request, answer, stream
// and error shapes; the rest of adapters/wire is told apart by this name.
#pragma once

#include <optional>
#include <string_view>

namespace understudy::wire {

enum class Api {
  chat_completions,  // OpenAI POST /v1/chat/completions
  completions,       // OpenAI POST /v1/completions
  responses,         // OpenAI POST /v1/responses
  embeddings,        // OpenAI POST /v1/embeddings; never streamed
  messages,          // Anthropic POST /v1/messages
};

std::string_view to_string(Api api);                    // as Call::api has it: "chat.completions"
std::optional<Api> parse_api(std::string_view text);    // its inverse
std::optional<Api> api_of_path(std::string_view path);  // of "/v1/messages"; a query is ignored

}  // namespace understudy::wire
