#include "adapters/lm/chat_client.hpp"

#include <utility>

#include "adapters/lm/json_post.hpp"
#include "base/json.hpp"
#include "base/limits.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t response_bytes_max = 4 * limits::mebi;
constexpr long timeout_s = 120;

}  // namespace

Result<std::string> parse_chat_text(std::string_view body) {
  const json::value tree = TRY(json::parse(body));
  const json::array* choices = json::find_array(tree, "choices");
  const json::value* message =
      choices == nullptr || choices->empty() ? nullptr : json::find(choices->front(), "message");
  const auto text = message == nullptr ? std::nullopt : json::find_string(*message, "content");
  if (!text) return fail(ErrorCode::corrupt, "the answer is no chat completion with a text");
  return std::string(*text);
}

Result<std::string> ask_chat(const ChatEndpoint& endpoint, const std::string& question,
                             int tokens_max) {
  const json::object request{
      {"model", endpoint.model},
      {"messages", json::array{json::object{{"role", "user"}, {"content", question}}}},
      {"temperature", 0},
      {"max_tokens", tokens_max}};
  return parse_chat_text(TRY(ask_chat_request(endpoint, json::to_text(request))));
}

Result<std::string> ask_chat_request(const ChatEndpoint& endpoint, std::string request) {
  return post_json({.url = endpoint.url + "/chat/completions",
                    .api_key = endpoint.api_key,
                    .body = std::move(request),
                    .timeout_s = timeout_s,
                    .response_bytes_max = response_bytes_max});
}

}  // namespace understudy::lm
