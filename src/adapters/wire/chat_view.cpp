#include "adapters/wire/chat_view.hpp"

#include <string>
#include <utility>

#include "adapters/wire/messages_to_chat.hpp"
#include "adapters/wire/responses_view.hpp"
#include "adapters/wire/translate_answer.hpp"

namespace understudy::wire {

namespace {

std::unexpected<Error> no_view(std::string_view what) {
  return fail(ErrorCode::invalid_input, "the " + std::string(what) + " has no view as a chat");
}

// {"prompt": "text"} or a list of texts: one user message each. Token numbers have no text.
Result<json::value> completion_request(const json::value& request) {
  if (!request.is_object()) return no_view("completion request");
  json::object chat = request.get_object();
  chat.erase("prompt");
  json::array messages;
  const auto add = [&messages](const json::value& prompt) {
    if (prompt.is_string()) messages.push_back(json::object{{"role", "user"}, {"content", prompt}});
  };
  if (const json::value* prompt = json::find(request, "prompt")) {
    add(*prompt);
    if (prompt->is_array()) {
      for (const json::value& each : prompt->get_array()) add(each);
    }
  }
  if (messages.empty()) return no_view("completion request");
  chat["messages"] = std::move(messages);
  return chat;
}

Result<json::value> completion_response(const json::value& response) {
  const json::array* choices = json::find_array(response, "choices");
  if (choices == nullptr) return no_view("completion");
  json::object chat = response.get_object();
  json::array converted;
  for (const json::value& choice : *choices) {
    const auto text = json::find_string(choice, "text");
    if (!text) return no_view("completion");
    json::object entry = choice.get_object();
    entry.erase("text");
    entry["message"] = json::object{{"role", "assistant"}, {"content", *text}};
    converted.push_back(std::move(entry));
  }
  chat["object"] = "chat.completion";
  chat["choices"] = std::move(converted);
  return chat;
}

Result<json::value> messages_response(const json::value& response) {
  json::value chat = TRY(messages_answer_to_chat(response, {}));
  // Signatures mean something to Anthropic only; the words of the thinking are reasoning_content.
  chat.at("choices").at(0).at("message").as_object().erase("thinking_blocks");
  return chat;
}

}  // namespace

bool has_chat_view(Api api) { return api != Api::embeddings; }

Result<json::value> to_chat_request(Api api, const json::value& request) {
  switch (api) {
    case Api::chat_completions: return request;
    case Api::completions: return completion_request(request);
    case Api::responses: return responses_request_view(request);
    case Api::messages:
      return TRY(messages_to_chat(request, {.chat_max_tokens_field = "max_tokens"},
                                  Untranslatable::mark))
          .body;
    case Api::embeddings: break;
  }
  return no_view("embeddings request");
}

Result<json::value> to_chat_response(Api api, const json::value& response) {
  switch (api) {
    case Api::chat_completions: return response;
    case Api::completions: return completion_response(response);
    case Api::responses: return responses_answer_view(response);
    case Api::messages: return messages_response(response);
    case Api::embeddings: break;
  }
  return no_view("embeddings answer");
}

}  // namespace understudy::wire
