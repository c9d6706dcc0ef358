// One question to any endpoint that speaks OpenAI's chat completions: a provider, a llama-server,
// our own gateway. For judges; agents' calls go through live/gateway. Blocking; one owner.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace understudy::lm {

struct ChatEndpoint {
  std::string url;      // "http://127.0.0.1:8080/v1": what /chat/completions is put behind
  std::string model;    // as the endpoint names it
  std::string api_key;  // empty: none is sent
};

// The text of choices[0]. corrupt when the body is no such answer.
Result<std::string> parse_chat_text(std::string_view body);

// Greedy, at most `tokens_max` long. unavailable and timeout (two minutes) name the endpoint.
Result<std::string> ask_chat(const ChatEndpoint& endpoint, const std::string& question,
                             int tokens_max);

// A whole request as JSON, its model named in it; the body of the answer.
Result<std::string> ask_chat_request(const ChatEndpoint& endpoint, std::string request);

}  // namespace understudy::lm
