#include "adapters/wire/responses_view.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "adapters/wire/parts.hpp"
#include "adapters/wire/response_facts.hpp"

namespace understudy::wire {

namespace {

// Settings that both APIs know by the same name, and by another one.
constexpr std::array<std::string_view, 8> same_fields = {
    "model",       "stream", "temperature", "top_p", "user", "parallel_tool_calls",
    "tool_choice", "store"};

// input_text, output_text and refusal become text, input_image an image_url; others are named only.
json::value part_of(const json::value& part) {
  const std::string type = json::string_or(part, "type", "input_text");
  if (const auto text = json::find_string(part, "text"))
    return json::object{{"type", "text"}, {"text", *text}};
  if (const auto refusal = json::find_string(part, "refusal"))
    return json::object{{"type", "text"}, {"text", *refusal}};
  if (type == "input_image") {
    return json::object{{"type", "image_url"},
                        {"image_url", json::object{{"url", json::string_or(part, "image_url")}}}};
  }
  return json::object{{"type", type}};
}

json::value content_of(const json::value& holder, std::string_view key) {
  const json::value* content = json::find(holder, key);
  if (content == nullptr) return "";
  if (!content->is_array()) return *content;
  json::array parts;
  for (const json::value& part : content->get_array()) parts.push_back(part_of(part));
  if (const auto text = plain_text(parts, "")) return json::value(*text);
  return parts;
}

json::object call_of(const json::value& item) {
  std::string arguments = json::string_or(item, "arguments", json::string_or(item, "input"));
  return {{"id", json::string_or(item, "call_id", json::string_or(item, "id"))},
          {"type", "function"},
          {"function", json::object{{"name", json::string_or(item, "name")},
                                    {"arguments", std::move(arguments)}}}};
}

// Items become messages: the calls that follow an answer's text belong to the answer's message.
class Messages {
 public:
  void add(const json::value& item) {
    const std::string type = json::string_or(item, "type", "message");
    if (type == "message") {
      messages_.push_back(json::object{{"role", json::string_or(item, "role", "user")},
                                       {"content", content_of(item, "content")}});
    } else if (type == "function_call" || type == "custom_tool_call") {
      add_call(item);
    } else if (type.ends_with("_call_output")) {
      messages_.push_back(json::object{{"role", "tool"},
                                       {"tool_call_id", json::string_or(item, "call_id")},
                                       {"content", content_of(item, "output")}});
    } else if (type != "reasoning") {
      messages_.push_back(json::object{{"role", "assistant"},
                                       {"content", json::array{json::object{{"type", type}}}}});
    }
  }

  json::array take() { return std::move(messages_); }

 private:
  void add_call(const json::value& item) {
    if (messages_.empty() || json::string_or(messages_.back(), "role") != "assistant")
      messages_.push_back(json::object{{"role", "assistant"}, {"content", nullptr}});
    json::object& message = messages_.back().get_object();
    json::value& calls = message["tool_calls"];
    if (!calls.is_array()) calls = json::array{};
    calls.get_array().push_back(call_of(item));
  }

  json::array messages_;
};

json::value tool_of(const json::value& tool) {
  const std::string type = json::string_or(tool, "type", "function");
  json::object function{{"name", json::string_or(tool, "name", type)}};
  for (const char* key : {"description", "parameters", "strict"}) {
    if (const json::value* value = json::find(tool, key)) function[key] = *value;
  }
  return json::object{{"type", "function"}, {"function", std::move(function)}};
}

void set_format(const json::value& request, json::object& chat) {
  const json::value* text = json::find(request, "text");
  const json::value* format = text != nullptr ? json::find(*text, "format") : nullptr;
  if (format == nullptr) return;
  const std::string type = json::string_or(*format, "type", "text");
  if (type != "json_schema") {
    chat["response_format"] = json::object{{"type", type}};
    return;
  }
  json::object named;
  for (const char* key : {"name", "schema", "strict"}) {
    if (const json::value* value = json::find(*format, key)) named[key] = *value;
  }
  chat["response_format"] = json::object{{"type", type}, {"json_schema", std::move(named)}};
}

}  // namespace

Result<json::value> responses_request_view(const json::value& request) {
  if (!request.is_object())
    return fail(ErrorCode::invalid_input, "the request body is no JSON object");
  json::object chat;
  for (const std::string_view field : same_fields) {
    if (const json::value* value = json::find(request, field)) chat[field] = *value;
  }
  if (const json::value* tokens = json::find(request, "max_output_tokens"))
    chat["max_tokens"] = *tokens;
  Messages messages;
  if (const auto instructions = json::find_string(request, "instructions"))
    messages.add(json::object{{"role", "system"}, {"content", *instructions}});
  const json::value* input = json::find(request, "input");
  if (input != nullptr && input->is_string()) {
    messages.add(json::object{{"role", "user"}, {"content", *input}});
  } else if (input != nullptr && input->is_array()) {
    for (const json::value& item : input->get_array()) messages.add(item);
  }
  chat["messages"] = messages.take();
  if (const json::array* tools = json::find_array(request, "tools"); tools && !tools->empty()) {
    json::array converted;
    for (const json::value& tool : *tools) converted.push_back(tool_of(tool));
    chat["tools"] = std::move(converted);
  }
  if (const json::value* choice = json::find(request, "tool_choice");
      choice != nullptr && choice->is_object()) {
    chat["tool_choice"] =
        json::object{{"type", "function"},
                     {"function", json::object{{"name", json::string_or(*choice, "name")}}}};
  }
  set_format(request, chat);
  return chat;
}

Result<json::value> responses_answer_view(const json::value& response) {
  const json::array* output = json::find_array(response, "output");
  if (output == nullptr) return fail(ErrorCode::invalid_input, "the response has no output");
  std::string text;
  json::array calls;
  for (const json::value& item : *output) {
    const std::string type = json::string_or(item, "type");
    if (type == "message") {
      const json::value content = content_of(item, "content");
      text += plain_text(content, "").value_or("");
    } else if (type == "function_call" || type == "custom_tool_call") {
      calls.push_back(call_of(item));
    }
  }
  json::object message{{"role", "assistant"}, {"content", nullptr}};
  if (!text.empty() || calls.empty()) message["content"] = std::move(text);
  if (!calls.empty()) message["tool_calls"] = std::move(calls);
  const ResponseFacts facts = read_response(Api::responses, json::to_text(response));
  json::object chat{{"id", facts.id},
                    {"object", "chat.completion"},
                    {"created", json::find_integer(response, "created_at").value_or(0)},
                    {"model", facts.served_model},
                    {"choices", json::array{json::object{{"index", 0},
                                                         {"message", std::move(message)},
                                                         {"finish_reason", facts.finish_reason}}}}};
  if (facts.usage) {
    chat["usage"] =
        json::object{{"prompt_tokens", facts.usage->prompt_tokens},
                     {"completion_tokens", facts.usage->completion_tokens},
                     {"total_tokens", facts.usage->prompt_tokens + facts.usage->completion_tokens},
                     {"prompt_tokens_details",
                      json::object{{"cached_tokens", facts.usage->cached_prompt_tokens}}}};
  }
  return chat;
}

}  // namespace understudy::wire
