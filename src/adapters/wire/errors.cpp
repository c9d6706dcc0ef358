#include "adapters/wire/errors.hpp"

#include <algorithm>
#include <array>

#include "adapters/wire/json_cursor.hpp"
#include "adapters/wire/stream_reader.hpp"

namespace understudy::wire {

namespace {

constexpr std::size_t word_bytes_max = 64;

// Types and codes are words; anything else could be content.
bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= word_bytes_max && std::ranges::all_of(text, [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || byte == '.';
  });
}

bool holds_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [text](std::string_view word) { return text.contains(word); });
}

ErrorKind kind_of(const ErrorFacts& error) {
  const std::string words = error.type + " " + error.code;
  // vLLM, llama.cpp and Anthropic have no code of their own for it: only the message says so.
  if (holds_any(words, {"context_length", "exceed_context_size"}) ||
      holds_any(error.message, {"maximum context length", "prompt is too long",
                                "exceeds the available context", "exceed context limit"})) {
    return ErrorKind::context_length;
  }
  if (holds_any(words, {"content_filter", "content_policy", "ResponsibleAI"}))
    return ErrorKind::content_filter;
  if (holds_any(words, {"insufficient_quota", "billing"})) return ErrorKind::quota;
  if (holds_any(words, {"rate_limit"})) return ErrorKind::rate_limit;
  if (holds_any(words, {"overloaded"})) return ErrorKind::overloaded;
  if (holds_any(words, {"authentication", "invalid_api_key", "permission"}))
    return ErrorKind::authentication;
  return ErrorKind::other;
}

// {"message", "type", "code"}, in any of the shapes; the cursor stands on its brace.
void read_fields(JsonCursor& cursor, ErrorFacts& error) {
  cursor.each_member([&](std::string_view key) {
    if (key == "message") {
      if (const auto text = cursor.string()) error.message = unescape(*text);
    } else if (key == "type") {
      if (const auto text = cursor.string()) error.type = unescape(*text);
    } else if (key == "code") {
      if (const auto text = cursor.string()) {
        error.code = unescape(*text);
      } else if (const auto number = cursor.integer()) {
        error.code = std::to_string(*number);
      }
    }
  });
}

struct StatusWords {
  unsigned status;
  std::string_view openai;
  std::string_view anthropic;
};

constexpr std::array status_words = {
    StatusWords{400, "invalid_request_error", "invalid_request_error"},
    StatusWords{401, "authentication_error", "authentication_error"},
    StatusWords{402, "insufficient_quota", "billing_error"},
    StatusWords{403, "permission_error", "permission_error"},
    StatusWords{404, "not_found_error", "not_found_error"},
    StatusWords{408, "timeout_error", "timeout_error"},
    StatusWords{413, "invalid_request_error", "request_too_large"},
    StatusWords{429, "rate_limit_error", "rate_limit_error"},
    StatusWords{500, "server_error", "api_error"},
    StatusWords{503, "server_error", "overloaded_error"},
    StatusWords{504, "server_error", "timeout_error"},
    StatusWords{529, "server_error", "overloaded_error"},
};

const StatusWords& words_of(unsigned status) {
  for (const StatusWords& words : status_words) {
    if (words.status == status) return words;
  }
  return words_of(status >= 500 ? 500 : 400);
}

// The API's own word for an error's type: SDKs choose their exception by it.
std::string_view type_of(Api api, const ApiError& error) {
  const bool anthropic = api == Api::messages;
  if (error.type.empty())
    return anthropic ? words_of(error.status).anthropic : words_of(error.status).openai;
  for (const StatusWords& words : status_words) {
    if (anthropic && words.openai == error.type) return words_of(words.status).anthropic;
    if (!anthropic && words.anthropic == error.type) return words.openai;
  }
  // A word of neither side: Anthropic's SDKs know a closed list only.
  return anthropic ? words_of(error.status).anthropic : error.type;
}

json::value text_or_null(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

std::string failed_response(const ApiError& error, const StreamReader* so_far) {
  const json::value failure{{"code", error.code.empty() ? "server_error" : error.code},
                            {"message", error.message}};
  const auto sequence_number = so_far != nullptr ? so_far->next_sequence_number() : 0;
  Result<json::value> response = json::parse(so_far != nullptr ? so_far->response_text() : "");
  if (!response || !response->is_object()) {
    const json::object event{{"type", "error"},
                             {"code", failure.at("code")},
                             {"message", error.message},
                             {"param", nullptr},
                             {"sequence_number", sequence_number}};
    return "event: error\ndata: " + json::to_text(event) + "\n\n";
  }
  response->get_object()["status"] = "failed";
  response->get_object()["error"] = failure;
  const json::object event{{"type", "response.failed"},
                           {"sequence_number", sequence_number},
                           {"response", std::move(*response)}};
  return "event: response.failed\ndata: " + json::to_text(event) + "\n\n";
}

}  // namespace

std::string ErrorFacts::label() const {
  const std::string_view word = is_word(type) ? std::string_view(type) : "error";
  return is_word(code) ? std::string(word) + "/" + code : std::string(word);
}

std::optional<ErrorFacts> read_error(std::string_view text) {
  const JsonText json(text);
  JsonCursor cursor = json.cursor();
  ErrorFacts error;
  bool found = false;
  bool is_error_type = false;
  cursor.each_member([&](std::string_view key) {
    if (key == "error" && cursor.peek() == '{') {
      found = true;
      read_fields(cursor, error);
    } else if (key == "error" && cursor.peek() == '"') {
      found = true;
      error.message = unescape(*cursor.string());
    } else if (key == "error") {  // SDKs throw on whatever is not null, false or 0
      const std::string_view value = cursor.skip();
      found |= value != "null" && value != "false" && value != "0";
    } else if (key == "object") {
      error.foreign = cursor.string() == "error";
    } else if (key == "type") {
      is_error_type = cursor.string() == "error";
    } else if (key == "response" && cursor.peek() == '{') {  // response.failed
      cursor.each_member([&](std::string_view name) {
        if (name != "error" || cursor.peek() != '{') return;
        found = true;
        read_fields(cursor, error);
      });
    }
  });
  if (cursor.failed()) return std::nullopt;
  if (!found && (error.foreign || is_error_type)) {
    found = true;
    JsonCursor again = json.cursor();
    read_fields(again, error);
    if (is_error_type) error.type.clear();  // the event's name, not the error's
  } else {
    error.foreign = false;
  }
  if (!found) return std::nullopt;
  error.kind = kind_of(error);
  return error;
}

std::string error_body(Api api, const ApiError& error) {
  const std::string_view type = type_of(api, error);
  if (api == Api::messages) {
    return json::to_text(json::object{
        {"type", "error"}, {"error", json::object{{"type", type}, {"message", error.message}}}});
  }
  return json::to_text(json::object{{"error", json::object{{"message", error.message},
                                                           {"type", type},
                                                           {"param", nullptr},
                                                           {"code", text_or_null(error.code)}}}});
}

std::string stream_error(Api api, const ApiError& error, const StreamReader* so_far) {
  switch (api) {
    case Api::messages: return "event: error\ndata: " + error_body(api, error) + "\n\n";
    case Api::responses: return failed_response(error, so_far);
    case Api::chat_completions:
    case Api::completions:
    case Api::embeddings: break;
  }
  return "data: " + error_body(api, error) + "\n\n";
}

std::string normalise_error(Api api, unsigned status, std::string body) {
  const auto error = read_error(body);
  if (!error || !error->foreign) return body;
  return error_body(
      api, {.status = status, .message = error->message, .type = error->type, .code = error->code});
}

std::string error_body(std::string_view message, std::string_view type, std::string_view code) {
  return json::to_text(json::object{
      {"error",
       json::object{{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}}}});
}

std::string error_label(const json::value& body) {
  const auto error = read_error(json::to_text(body));
  return error ? error->label() : std::string{};
}

}  // namespace understudy::wire
