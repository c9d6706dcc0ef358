#include "adapters/wire/chat_stream.hpp"

#include <algorithm>

#include "adapters/wire/chat.hpp"

namespace understudy::wire {

Status ChatStream::feed(std::string_view bytes) {
  return parser_.feed(bytes, [this](const SseEvent& event) { take_event(event.data); });
}

void ChatStream::take_event(std::string_view data) {
  if (data == "[DONE]") {
    done_ = true;
    return;
  }
  const auto event = json::parse(data);
  if (!event || !event->is_object()) {
    malformed_ = true;
    return;
  }
  if (std::string label = error_label(*event); !label.empty()) error_ = std::move(label);
  if (id_.empty()) id_ = json::string_or(*event, "id");
  if (model_.empty()) model_ = json::string_or(*event, "model");
  if (created_s_ == 0) created_s_ = json::find_integer(*event, "created").value_or(0);
  if (const json::value* usage = json::find(*event, "usage")) usage_ = *usage;
  if (const json::array* choices = json::find_array(*event, "choices")) {
    for (const json::value& choice : *choices) take_choice(choice);
  }
}

void ChatStream::take_choice(const json::value& choice) {
  Choice& into = choices_[json::find_integer(choice, "index").value_or(0)];
  if (const auto reason = json::find_string(choice, "finish_reason"))
    into.finish_reason = std::string(*reason);
  const json::value* delta = json::find(choice, "delta");
  if (delta == nullptr) return;
  if (const auto content = json::find_string(*delta, "content")) {
    into.content += *content;
    into.has_content = true;
  }
  into.refusal += json::string_or(*delta, "refusal");
  into.reasoning += json::string_or(*delta, "reasoning_content");
  const json::array* calls = json::find_array(*delta, "tool_calls");
  if (calls == nullptr) return;
  for (const json::value& call : *calls) {
    Tool& tool = into.tools[json::find_integer(call, "index").value_or(0)];
    if (tool.id.empty()) tool.id = json::string_or(call, "id");
    if (const json::value* function = json::find(call, "function")) {
      if (tool.name.empty()) tool.name = json::string_or(*function, "name");
      tool.arguments += json::string_or(*function, "arguments");
    }
  }
}

bool ChatStream::finished() const {
  return !choices_.empty() && std::ranges::all_of(choices_, [](const auto& entry) {
    return !entry.second.finish_reason.empty();
  });
}

json::value ChatStream::completion() const {
  json::array choices;
  for (const auto& [index, choice] : choices_) {
    json::object message{{"role", "assistant"}, {"content", nullptr}};
    if (!choice.content.empty() || (choice.has_content && choice.tools.empty()))
      message["content"] = choice.content;
    if (!choice.refusal.empty()) message["refusal"] = choice.refusal;
    if (!choice.reasoning.empty()) message["reasoning_content"] = choice.reasoning;
    if (!choice.tools.empty()) {
      json::array calls;
      for (const auto& [position, tool] : choice.tools) {
        calls.push_back(json::object{
            {"id", tool.id},
            {"type", "function"},
            {"function", json::object{{"name", tool.name}, {"arguments", tool.arguments}}}});
      }
      message["tool_calls"] = std::move(calls);
    }
    json::object item{
        {"index", index}, {"message", std::move(message)}, {"finish_reason", nullptr}};
    if (!choice.finish_reason.empty()) item["finish_reason"] = choice.finish_reason;
    choices.push_back(std::move(item));
  }
  json::object completion{{"id", id_},
                          {"object", "chat.completion"},
                          {"created", created_s_},
                          {"model", model_},
                          {"choices", std::move(choices)}};
  if (!usage_.is_null()) completion["usage"] = usage_;
  return completion;
}

}  // namespace understudy::wire
