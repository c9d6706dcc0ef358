#include "adapters/wire/chat.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace understudy::wire {

namespace {

std::string hash_hex(std::string_view text) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
  return digits.data();
}

// The text of a message's content: a string, or a list of parts (OpenAI's and Anthropic's kinds).
std::string content_text(const json::value* content) {
  if (content == nullptr) return {};
  if (content->is_string()) return std::string(content->get_string());
  if (!content->is_array()) return json::to_text(*content);
  std::string text;
  for (const json::value& part : content->get_array()) {
    const std::string type = json::string_or(part, "type", "text");
    if (const auto words = json::find_string(part, "text")) {
      text += *words;
    } else if (part.is_string()) {
      text += std::string_view(part.get_string());
    } else if (type == "tool_result") {
      text += content_text(json::find(part, "content"));
    } else if (type == "tool_use") {
      const json::value* input = json::find(part, "input");
      text += "\n<|call|>" + json::string_or(part, "name") + " " +
              (input != nullptr ? json::to_text(*input) : "{}");
    } else {
      text += "<|" + type + "|>";
    }
  }
  return text;
}

// arguments arrive as JSON text (OpenAI) or, in some logs, as a tree.
std::string arguments_text(const json::value& function) {
  const json::value* arguments = json::find(function, "arguments");
  if (arguments == nullptr) return "{}";
  return arguments->is_string() ? std::string(arguments->get_string()) : json::to_text(*arguments);
}

std::string message_text(const json::value& message) {
  std::string text = "<|" + json::string_or(message, "role", "user") + "|>\n" +
                     content_text(json::find(message, "content"));
  if (const json::array* calls = json::find_array(message, "tool_calls")) {
    for (const json::value& call : *calls) {
      const json::value* function = json::find(call, "function");
      if (function == nullptr) continue;
      text += "\n<|call|>" + json::string_or(*function, "name") + " " + arguments_text(*function);
    }
  }
  return text + "\n";
}

bool has_image(const json::value& message) {
  const json::array* parts = json::find_array(message, "content");
  if (parts == nullptr) return false;
  return std::ranges::any_of(*parts, [](const json::value& part) {
    const std::string type = json::string_or(part, "type", "text");
    return type != "text" && type != "tool_use" && type != "tool_result";
  });
}

std::vector<std::string> tool_names(const json::value& request) {
  std::vector<std::string> names;
  if (const json::array* tools = json::find_array(request, "tools")) {
    for (const json::value& tool : *tools) {
      const json::value* function = json::find(tool, "function");
      names.push_back(json::string_or(function != nullptr ? *function : tool, "name"));
    }
  }
  std::ranges::sort(names);
  return names;
}

std::string response_form(const json::value& request) {
  const json::value* format = json::find(request, "response_format");
  const std::string type = format != nullptr ? json::string_or(*format, "type", "text") : "text";
  if (type != "json_schema") return type;
  const json::value* schema = json::find(*format, "json_schema");
  return "json_schema:" + hash_hex(schema != nullptr ? json::to_canonical(*schema) : "");
}

// What the request asks for that a small model's reply would not carry.
std::string beyond_slm(const json::value& request) {
  if (json::find_integer(request, "n").value_or(1) > 1) return "n > 1";
  if (json::find_bool(request, "logprobs").value_or(false)) return "logprobs";
  for (const char* key : {"audio", "modalities", "functions", "web_search_options"}) {
    if (json::find(request, key) != nullptr) return key;
  }
  if (const json::value* choice = json::find(request, "tool_choice");
      choice != nullptr && choice->is_object()) {
    return "tool_choice names a tool";
  }
  for (const json::value& message : *json::find_array(request, "messages")) {
    if (has_image(message)) return "a part that is no text";
  }
  return {};
}

json::value message_of(const Answer& answer) {
  json::object message{{"role", "assistant"}, {"content", nullptr}};
  if (!answer.text.empty() || answer.tool_calls.empty()) message["content"] = answer.text;
  if (!answer.tool_calls.empty()) {
    json::array calls;
    for (const ToolCall& call : answer.tool_calls) {
      calls.push_back(json::object{
          {"id", call.id},
          {"type", "function"},
          {"function", json::object{{"name", call.name}, {"arguments", call.arguments}}}});
    }
    message["tool_calls"] = std::move(calls);
  }
  return message;
}

std::string_view finish_reason_of(const Answer& answer) {
  return answer.tool_calls.empty() ? "stop" : "tool_calls";
}

json::object usage_of(const Usage& usage) {
  return json::object{{"prompt_tokens", usage.prompt_tokens},
                      {"completion_tokens", usage.completion_tokens},
                      {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

// Every tool call of a reply needs an id; small models do not make any.
Answer with_ids(Answer answer, const std::string& completion_id) {
  for (std::size_t i = 0; i < answer.tool_calls.size(); ++i) {
    if (answer.tool_calls[i].id.empty()) {
      answer.tool_calls[i].id = "call_" + hash_hex(completion_id + "/" + std::to_string(i));
    }
  }
  return answer;
}

}  // namespace

Result<ChatRequest> parse_chat_request(const json::value& request) {
  if (!request.is_object())
    return fail(ErrorCode::invalid_input, "the request body is no JSON object");
  const json::array* messages = json::find_array(request, "messages");
  if (messages == nullptr || messages->empty()) {
    return fail(ErrorCode::invalid_input, "the request has no messages",
                "send {\"model\", \"messages\": [...]}");
  }
  ChatRequest parsed;
  for (const json::value& message : *messages) {
    if (!message.is_object()) return fail(ErrorCode::invalid_input, "a message is no JSON object");
    const std::string role = json::string_or(message, "role", "user");
    parsed.roles.push_back(role);
    if (role == "system" || role == "developer") {
      if (!parsed.system.empty()) parsed.system += '\n';
      parsed.system += content_text(json::find(message, "content"));
    }
  }
  parsed.model = json::string_or(request, "model");
  parsed.stream = json::find_bool(request, "stream").value_or(false);
  if (const json::value* options = json::find(request, "stream_options")) {
    parsed.include_usage = json::find_bool(*options, "include_usage").value_or(false);
  }
  parsed.prompt = prompt_text(request);
  parsed.tool_names = tool_names(request);
  parsed.tool_choice = json::string_or(request, "tool_choice");
  parsed.response_form = response_form(request);
  parsed.beyond_slm = beyond_slm(request);
  return parsed;
}

std::string prompt_text(const json::value& request) {
  std::string text;
  if (const json::array* messages = json::find_array(request, "messages")) {
    for (const json::value& message : *messages) text += message_text(message);
  }
  return text;
}

std::string tools_hash(const std::vector<std::string>& sorted_names) {
  if (sorted_names.empty()) return {};
  std::string joined;
  for (const std::string& name : sorted_names) joined += name + "\n";
  return hash_hex(joined);
}

Result<Answer> parse_answer(const json::value& response) {
  const json::array* choices = json::find_array(response, "choices");
  const json::value* message =
      choices != nullptr && !choices->empty() ? json::find(choices->front(), "message") : nullptr;
  if (message == nullptr) return fail(ErrorCode::invalid_input, "the response has no message");
  Answer answer;
  answer.text = content_text(json::find(*message, "content"));
  if (const json::array* calls = json::find_array(*message, "tool_calls")) {
    for (const json::value& call : *calls) {
      const json::value* function = json::find(call, "function");
      if (function == nullptr)
        return fail(ErrorCode::invalid_input, "a tool call without a function");
      answer.tool_calls.push_back({.id = json::string_or(call, "id"),
                                   .name = json::string_or(*function, "name"),
                                   .arguments = arguments_text(*function)});
    }
  }
  if (answer.empty())
    return fail(ErrorCode::invalid_input, "the response has neither text nor tool calls");
  return answer;
}

json::value to_chat_completion(const Answer& answer, const CompletionMeta& meta) {
  const Answer complete = with_ids(answer, meta.id);
  return json::object{
      {"id", meta.id},
      {"object", "chat.completion"},
      {"created", meta.created_s},
      {"model", meta.model},
      {"choices", json::array{json::object{{"index", 0},
                                           {"message", message_of(complete)},
                                           {"finish_reason", finish_reason_of(complete)}}}},
      {"usage", usage_of(meta.usage)}};
}

std::string to_chat_stream(const Answer& answer, const CompletionMeta& meta) {
  const Answer complete = with_ids(answer, meta.id);
  std::string stream;
  const auto chunk = [&](json::array choices, json::value usage) {
    json::object event{{"id", meta.id},
                       {"object", "chat.completion.chunk"},
                       {"created", meta.created_s},
                       {"model", meta.model},
                       {"choices", std::move(choices)}};
    if (meta.include_usage) event["usage"] = std::move(usage);
    stream += "data: " + json::to_text(event) + "\n\n";
  };
  const auto delta = [&](json::object content, json::value finish_reason) {
    json::array choices;
    choices.push_back(json::object{
        {"index", 0}, {"delta", std::move(content)}, {"finish_reason", std::move(finish_reason)}});
    chunk(std::move(choices), nullptr);
  };
  delta({{"role", "assistant"},
         {"content", complete.tool_calls.empty() ? json::value("") : json::value(nullptr)}},
        nullptr);
  if (!complete.text.empty()) delta({{"content", complete.text}}, nullptr);
  for (std::size_t i = 0; i < complete.tool_calls.size(); ++i) {
    const ToolCall& call = complete.tool_calls[i];
    json::array calls;
    calls.push_back(json::object{
        {"index", i},
        {"id", call.id},
        {"type", "function"},
        {"function", json::object{{"name", call.name}, {"arguments", call.arguments}}}});
    delta({{"tool_calls", std::move(calls)}}, nullptr);
  }
  delta({}, json::value(finish_reason_of(complete)));
  if (meta.include_usage) chunk({}, usage_of(meta.usage));
  return stream + "data: [DONE]\n\n";
}

}  // namespace understudy::wire
