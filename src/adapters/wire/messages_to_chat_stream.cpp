#include <algorithm>
#include <utility>

#include "adapters/wire/chat_to_messages.hpp"
#include "adapters/wire/errors.hpp"
#include "adapters/wire/parts.hpp"
#include "adapters/wire/response_facts.hpp"
#include "adapters/wire/translate_answer.hpp"
#include "adapters/wire/translate_stream.hpp"
#include "base/limits.hpp"

namespace understudy::wire {

namespace {

void append_text(json::object& object, std::string_view key, std::string_view piece) {
  json::value& text = object[key];
  if (!text.is_string()) text = "";
  text.get_string().append(piece);
}

}  // namespace

Status MessagesToChatStream::take_event(std::string_view name, const json::value& event) {
  const std::string type = json::string_or(event, "type", name);
  if (type == "message_start") {
    if (const json::value* message = json::find(event, "message")) start(*message);
  } else if (type == "content_block_start") {
    start_block(event);
  } else if (type == "content_block_delta") {
    take_delta(event);
  } else if (type == "content_block_stop") {
    stop_block(event);
  } else if (type == "message_delta") {
    if (const json::object* usage = json::find_object(event, "usage")) {
      for (const auto& [key, value] : *usage) {
        if (!value.is_null()) usage_[key] = value;
      }
    }
    if (const json::value* delta = json::find(event, "delta"))
      stop_reason_ = json::string_or(*delta, "stop_reason", stop_reason_);
  } else if (type == "message_stop") {
    end();
  } else if (type == "ping") {
    out_ += ": ping\n\n";
  } else if (type == "error" || json::find(event, "error") != nullptr) {
    out_ +=
        "data: " + translate_error(Api::messages, Api::chat_completions, 500, wire_text(event)) +
        "\n\n";
    ended_ = true;
  }
  return {};
}

void MessagesToChatStream::start(const json::value& message) {
  id_ = json::string_or(message, "id");
  model_ = json::string_or(message, "model");
  if (const json::object* usage = json::find_object(message, "usage")) usage_ = *usage;
  send_delta({{"role", "assistant"}, {"content", ""}});
}

MessagesToChatStream::Block* MessagesToChatStream::block_at(const json::value& event) {
  const std::int64_t index = json::find_integer(event, "index").value_or(0);
  for (auto& [number, block] : blocks_) {
    if (number == index) return &block;
  }
  return nullptr;
}

void MessagesToChatStream::start_block(const json::value& event) {
  const json::value* start = json::find(event, "content_block");
  if (start == nullptr || block_at(event) != nullptr || blocks_.size() == limits::stream_parts_max)
    return;
  Block& block =
      blocks_.emplace_back(json::find_integer(event, "index").value_or(0), Block{}).second;
  const std::string type = json::string_or(*start, "type");
  if (type == "text") {
    block.kind = BlockKind::text;
    if (const std::string text = json::string_or(*start, "text"); !text.empty())
      send_delta({{"content", text}});
  } else if (type == "thinking" || type == "redacted_thinking") {
    block.kind = BlockKind::thinking;
    block.thinking = start->get_object();
    if (const std::string text = json::string_or(*start, "thinking"); !text.empty())
      send_delta({{"reasoning_content", text}});
  } else if (type == "tool_use") {
    if (const json::value* input = json::find(*start, "input")) block.start_input = *input;
    const std::string name = json::string_or(*start, "name");
    if (context_.json_tool && name == json_tool_name) {
      block.kind = BlockKind::json_answer;
      has_json_ = true;
      return;
    }
    block.kind = BlockKind::tool;
    block.tool_index = tools_++;
    json::array calls;
    calls.push_back(json::object{{"index", block.tool_index},
                                 {"id", json::string_or(*start, "id")},
                                 {"type", "function"},
                                 {"function", json::object{{"name", name}, {"arguments", ""}}}});
    send_delta({{"tool_calls", std::move(calls)}});
  }
}

void MessagesToChatStream::take_delta(const json::value& event) {
  Block* block = block_at(event);
  const json::value* delta = json::find(event, "delta");
  if (block == nullptr || delta == nullptr) return;
  if (const auto piece = json::find_string(*delta, "partial_json")) {
    if (piece->empty()) return;
    block->has_input = true;
    send_arguments(*block, *piece);
  } else if (block->kind == BlockKind::text) {
    if (const auto text = json::find_string(*delta, "text"); text && !text->empty())
      send_delta({{"content", *text}});
  } else if (block->kind == BlockKind::thinking) {
    if (const auto text = json::find_string(*delta, "thinking"); text && !text->empty()) {
      append_text(block->thinking, "thinking", *text);
      send_delta({{"reasoning_content", *text}});
    }
    if (const auto signature = json::find_string(*delta, "signature"))
      append_text(block->thinking, "signature", *signature);
  }
}

void MessagesToChatStream::send_arguments(const Block& block, std::string_view piece) {
  if (block.kind == BlockKind::json_answer) {
    send_delta({{"content", piece}});
  } else if (block.kind == BlockKind::tool) {
    json::array calls;
    calls.push_back(json::object{{"index", block.tool_index},
                                 {"function", json::object{{"arguments", piece}}}});
    send_delta({{"tool_calls", std::move(calls)}});
  }
}

void MessagesToChatStream::stop_block(const json::value& event) {
  Block* block = block_at(event);
  if (block == nullptr) return;
  if (block->kind == BlockKind::thinking) {
    // Whole and signed: a client that sends it back lets the conversation go on.
    json::array blocks;
    blocks.push_back(std::exchange(block->thinking, {}));
    send_delta({{"thinking_blocks", std::move(blocks)}});
  } else if (!std::exchange(block->has_input, true)) {
    // A call without arguments: clients parse them all the same.
    send_arguments(*block, block->start_input.is_object() ? wire_text(block->start_input) : "{}");
  }
  block->kind = BlockKind::other;
}

std::string MessagesToChatStream::finish() {
  // Without message_stop, a stop reason says that the answer is whole.
  if (!ended_ && !stop_reason_.empty()) end();
  return std::exchange(out_, {});
}

void MessagesToChatStream::end() {
  std::string reason(finish_reason_of(stop_reason_.empty() ? "end_turn" : stop_reason_));
  if (has_json_ && tools_ == 0 && reason == "tool_calls") reason = "stop";
  send_delta({}, json::value(reason));
  if (context_.include_usage) send_chunk({}, usage_to_chat(usage_));
  out_ += "data: [DONE]\n\n";
  ended_ = true;
}

void MessagesToChatStream::send_delta(json::object delta, json::value finish_reason) {
  json::array choices;
  choices.push_back(json::object{{"index", 0},
                                 {"delta", std::move(delta)},
                                 {"logprobs", nullptr},
                                 {"finish_reason", std::move(finish_reason)}});
  send_chunk(std::move(choices), nullptr);
}

void MessagesToChatStream::send_chunk(json::array choices, json::value usage) {
  json::object chunk{{"id", id_},
                     {"object", "chat.completion.chunk"},
                     {"created", context_.created_s},
                     {"model", model_},
                     {"choices", std::move(choices)}};
  if (context_.include_usage) chunk["usage"] = std::move(usage);
  out_ += "data: " + wire_text(chunk) + "\n\n";
}

}  // namespace understudy::wire
