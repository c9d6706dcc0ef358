#include "adapters/wire/translate_answer.hpp"

#include <algorithm>
#include <utility>

#include "adapters/wire/chat_to_messages.hpp"
#include "adapters/wire/parts.hpp"
#include "adapters/wire/response_facts.hpp"

namespace understudy::wire {

namespace {

constexpr std::int64_t tokens_max = std::int64_t{1} << 50;  // of a peer: sums cannot overflow

std::int64_t count(const json::value& usage, std::string_view key) {
  return std::clamp<std::int64_t>(json::find_integer(usage, key).value_or(0), 0, tokens_max);
}

// The input of a tool_use block as the arguments of a call.
Result<std::string> arguments_of(const json::value& block) {
  const json::object* input = json::find_object(block, "input");
  if (input == nullptr) {
    return fail(ErrorCode::invalid_input,
                "the upstream's answer calls a tool with an input that is no JSON object");
  }
  return wire_text(*input);
}

Result<json::object> tool_use_of(const json::value& call) {
  const json::value* function = json::find(call, "function");
  if (function == nullptr)
    return fail(ErrorCode::invalid_input, "the upstream's answer calls a tool that is no function");
  const std::string arguments = json::string_or(*function, "arguments");
  auto input = json::parse(arguments.empty() ? "{}" : arguments);
  if (!input || !input->is_object()) {
    return fail(ErrorCode::invalid_input,
                "the upstream's answer calls a tool with arguments that are no JSON object");
  }
  return json::object{{"type", "tool_use"},
                      {"id", json::string_or(call, "id")},
                      {"name", json::string_or(*function, "name")},
                      {"input", std::move(*input)}};
}

// Signed thinking blocks and text; plain reasoning_content has no signature, so that Anthropic
// would refuse it in the next request: it is left out.
Result<json::array> content_of(const json::value& message) {
  json::array content;
  if (const json::array* thinking = json::find_array(message, "thinking_blocks"))
    content = thinking_of(*thinking);
  const json::value* text = json::find(message, "content");
  if (const auto plain = text != nullptr ? plain_text(*text, "") : std::nullopt;
      plain && !plain->empty()) {
    content.push_back(json::object{{"type", "text"}, {"text", *plain}});
  }
  if (const auto refusal = json::find_string(message, "refusal"); refusal && !refusal->empty())
    content.push_back(json::object{{"type", "text"}, {"text", *refusal}});
  if (const json::array* calls = json::find_array(message, "tool_calls")) {
    for (const json::value& call : *calls) content.push_back(TRY(tool_use_of(call)));
  }
  return content;
}

}  // namespace

std::string_view stop_reason_of(std::string_view finish_reason) {
  if (finish_reason == "length") return "max_tokens";
  if (finish_reason == "tool_calls" || finish_reason == "function_call") return "tool_use";
  if (finish_reason == "content_filter") return "refusal";
  return "end_turn";
}

json::object usage_to_messages(const json::value& usage) {
  const json::value* details = json::find(usage, "prompt_tokens_details");
  const std::int64_t prompt = count(usage, "prompt_tokens");
  const std::int64_t cached =
      details != nullptr ? std::min(count(*details, "cached_tokens"), prompt) : 0;
  return {{"input_tokens", prompt - cached},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", cached},
          {"output_tokens", count(usage, "completion_tokens")}};
}

json::object usage_to_chat(const json::value& usage) {
  const std::int64_t cached = count(usage, "cache_read_input_tokens");
  const std::int64_t prompt =
      count(usage, "input_tokens") + cached + count(usage, "cache_creation_input_tokens");
  const std::int64_t completion = count(usage, "output_tokens");
  return {{"prompt_tokens", prompt},
          {"completion_tokens", completion},
          {"total_tokens", prompt + completion},
          {"prompt_tokens_details", json::object{{"cached_tokens", cached}}}};
}

Result<json::object> chat_answer_to_messages(const json::value& completion) {
  const json::array* choices = json::find_array(completion, "choices");
  const json::value* message =
      choices != nullptr && !choices->empty() ? json::find(choices->front(), "message") : nullptr;
  if (message == nullptr)
    return fail(ErrorCode::invalid_input, "the upstream's answer has no message");
  const json::value& choice = choices->front();
  json::array content = TRY(content_of(*message));
  std::string_view stop_reason = stop_reason_of(json::string_or(choice, "finish_reason"));
  json::value stop_sequence = nullptr;
  // Some servers say "stop" after calls; vLLM names the stop sequence that it met.
  const bool has_calls = std::ranges::any_of(content, [](const json::value& block) {
    return json::string_or(block, "type") == "tool_use";
  });
  if (stop_reason == "end_turn" && has_calls) stop_reason = "tool_use";
  if (const auto sequence = json::find_string(choice, "stop_reason");
      sequence && stop_reason == "end_turn") {
    stop_reason = "stop_sequence";
    stop_sequence = *sequence;
  }
  if (json::find_string(*message, "refusal").value_or("") != "") stop_reason = "refusal";
  const json::value* usage = json::find(completion, "usage");
  return json::object{{"id", json::string_or(completion, "id")},
                      {"type", "message"},
                      {"role", "assistant"},
                      {"model", json::string_or(completion, "model")},
                      {"content", std::move(content)},
                      {"stop_reason", stop_reason},
                      {"stop_sequence", std::move(stop_sequence)},
                      {"usage", usage_to_messages(usage != nullptr ? *usage : json::object{})}};
}

Result<json::object> messages_answer_to_chat(const json::value& message,
                                             const AnswerContext& context) {
  const json::array* blocks = json::find_array(message, "content");
  if (blocks == nullptr)
    return fail(ErrorCode::invalid_input, "the upstream's answer has no content");
  std::string text, reasoning;
  json::array calls, thinking;
  bool has_json = false;
  for (const json::value& block : *blocks) {
    const std::string type = json::string_or(block, "type");
    if (type == "text") {
      text += json::string_or(block, "text");
    } else if (type == "thinking" || type == "redacted_thinking") {
      reasoning += json::string_or(block, "thinking");
      thinking.push_back(block);
    } else if (type == "tool_use") {
      std::string arguments = TRY(arguments_of(block));
      if (context.json_tool && json::string_or(block, "name") == json_tool_name) {
        text = std::move(arguments);
        has_json = true;
        continue;
      }
      calls.push_back(
          json::object{{"id", json::string_or(block, "id")},
                       {"type", "function"},
                       {"function", json::object{{"name", json::string_or(block, "name")},
                                                 {"arguments", std::move(arguments)}}}});
    }
  }
  json::object answer{{"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}};
  if (!text.empty() || calls.empty()) answer["content"] = std::move(text);
  if (!reasoning.empty()) answer["reasoning_content"] = std::move(reasoning);
  if (!thinking.empty()) answer["thinking_blocks"] = std::move(thinking);
  if (!calls.empty()) answer["tool_calls"] = std::move(calls);
  std::string finish_reason(finish_reason_of(json::string_or(message, "stop_reason", "end_turn")));
  if (has_json && finish_reason == "tool_calls") finish_reason = "stop";
  const json::value* usage = json::find(message, "usage");
  return json::object{
      {"id", json::string_or(message, "id")},
      {"object", "chat.completion"},
      {"created", context.created_s},
      {"model", json::string_or(message, "model")},
      {"choices", json::array{json::object{{"index", 0},
                                           {"message", std::move(answer)},
                                           {"logprobs", nullptr},
                                           {"finish_reason", std::move(finish_reason)}}}},
      {"usage", usage_to_chat(usage != nullptr ? *usage : json::object{})}};
}

}  // namespace understudy::wire
