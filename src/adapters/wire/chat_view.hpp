// One shape for looking at calls of every API: chat completions. S2..S6 and the router read
// requests and answers as such; what reaches an upstream is never built from a view. Pure.
#pragma once

#include "adapters/wire/api.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::wire {

// Embeddings have no conversation: false.
bool has_chat_view(Api api);

// The request as chat completions would have it: messages with roles, tools with functions,
// tool_choice, response_format. Reasoning and thinking are left out; a part that chat does not know
// stays as {"type": its type}. invalid_input: no request of that API, or embeddings. A Responses
// request that goes on from a stored response (previous_response_id) shows its own input only.
Result<json::value> to_chat_request(Api api, const json::value& request);

// The whole answer (streams: StreamReader::response_text()) as a chat.completion. Of a legacy
// completion with several choices all are kept.
Result<json::value> to_chat_response(Api api, const json::value& response);

}  // namespace understudy::wire
