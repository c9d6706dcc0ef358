#include <algorithm>
#include <utility>

#include "adapters/wire/errors.hpp"
#include "adapters/wire/json_cursor.hpp"
#include "adapters/wire/parts.hpp"
#include "adapters/wire/translate_answer.hpp"
#include "adapters/wire/translate_stream.hpp"
#include "base/limits.hpp"

namespace understudy::wire {

Status ChatToMessagesStream::take_event(std::string_view, const json::value& event) {
  const bool may_be_error =
      json::find(event, "error") != nullptr || json::string_or(event, "object") == "error";
  if (may_be_error && read_error(json::to_text(event))) {
    out_ += "event: error\ndata: " +
            translate_error(Api::chat_completions, Api::messages, 500, wire_text(event)) + "\n\n";
    ended_ = true;
    return {};
  }
  if (!started_) start(event);
  if (const json::value* usage = json::find(event, "usage"); usage != nullptr && usage->is_object())
    usage_ = *usage;
  if (const json::array* choices = json::find_array(event, "choices")) {
    for (const json::value& choice : *choices) {
      // One answer is all that Anthropic's clients read.
      if (json::find_integer(choice, "index").value_or(0) == 0) take_choice(choice);
    }
  }
  return {};
}

void ChatToMessagesStream::start(const json::value& chunk) {
  started_ = true;
  id_ = json::string_or(chunk, "id");
  // The true counts come last; some agents take a start without any for a fault.
  json::object usage{{"input_tokens", context_.prompt_tokens},
                     {"cache_creation_input_tokens", 0},
                     {"cache_read_input_tokens", 0},
                     {"output_tokens", 0}};
  send("message_start", {{"message", json::object{{"id", id_},
                                                  {"type", "message"},
                                                  {"role", "assistant"},
                                                  {"model", json::string_or(chunk, "model")},
                                                  {"content", json::array{}},
                                                  {"stop_reason", nullptr},
                                                  {"stop_sequence", nullptr},
                                                  {"usage", std::move(usage)}}}});
}

void ChatToMessagesStream::take_choice(const json::value& choice) {
  if (const json::value* delta = json::find(choice, "delta")) {
    if (const json::array* thinking = json::find_array(*delta, "thinking_blocks")) {
      for (const json::value& block : *thinking) send_thinking(block);
    }
    if (const auto text = json::find_string(*delta, "content")) take_text(*text);
    if (const auto text = json::find_string(*delta, "refusal"); text && !text->empty()) {
      has_refusal_ = true;
      take_text(*text);
    }
    if (const json::array* calls = json::find_array(*delta, "tool_calls")) {
      for (const json::value& call : *calls) take_tool(call);
    }
  }
  finish_reason_ = json::string_or(choice, "finish_reason", finish_reason_);
  stop_sequence_ = json::string_or(choice, "stop_reason", stop_sequence_);
}

void ChatToMessagesStream::take_text(std::string_view text) {
  if (text.empty()) return;
  if (blocks_.empty() || blocks_.back().kind != BlockKind::text) {
    if (blocks_.size() == limits::stream_parts_max) return;
    blocks_.emplace_back();
  }
  if (live_ + 1 == blocks_.size() && live_ < opened_) {
    send_piece(text);
    return;
  }
  blocks_.back().unsent += text;
  advance();
}

void ChatToMessagesStream::take_tool(const json::value& call) {
  const auto index = json::find_integer(call, "index");
  const std::string id = json::string_or(call, "id");
  auto found = blocks_.end();
  if (index) {
    found = std::ranges::find_if(blocks_, [&](const Block& block) {
      return block.kind == BlockKind::tool && block.tool_index == *index;
    });
  } else if (id.empty() && !blocks_.empty() && blocks_.back().kind == BlockKind::tool) {
    found = std::prev(blocks_.end());  // a server that leaves the index out goes on with the last
  }
  if (found == blocks_.end()) {
    if (blocks_.size() == limits::stream_parts_max) return;
    Block block{.kind = BlockKind::tool,
                .tool_index = index.value_or(static_cast<std::int64_t>(blocks_.size())),
                .id = id,
                .name = {},
                .all = {},
                .unsent = {}};
    if (block.id.empty()) block.id = "toolu_" + id_ + "_" + std::to_string(blocks_.size());
    found = blocks_.insert(blocks_.end(), std::move(block));
  }
  const auto place = static_cast<std::size_t>(found - blocks_.begin());
  const json::value* function = json::find(call, "function");
  if (function != nullptr) {
    if (found->name.empty()) found->name = json::string_or(*function, "name");
    const std::string piece = json::string_or(*function, "arguments");
    found->all += piece;
    if (place == live_ && live_ < opened_) {
      send_piece(piece);
      return;
    }
    found->unsent += piece;
  }
  advance();
}

// Signed thinking comes whole, in one delta, and first.
void ChatToMessagesStream::send_thinking(const json::value& block) {
  if (!is_thinking(block) || !blocks_.empty()) return;
  json::object start = block.get_object();
  const std::string text = json::string_or(block, "thinking");
  const std::string signature = json::string_or(block, "signature");
  if (start.contains("thinking")) start["thinking"] = "";
  if (start.contains("signature")) start["signature"] = "";
  const std::size_t index = thinking_blocks_++;
  send("content_block_start", {{"index", index}, {"content_block", std::move(start)}});
  if (!text.empty()) {
    send("content_block_delta",
         {{"index", index},
          {"delta", json::object{{"type", "thinking_delta"}, {"thinking", text}}}});
  }
  if (!signature.empty()) {
    send("content_block_delta",
         {{"index", index},
          {"delta", json::object{{"type", "signature_delta"}, {"signature", signature}}}});
  }
  send("content_block_stop", {{"index", index}});
}

bool ChatToMessagesStream::is_whole(const Block& block) {
  if (block.kind == BlockKind::text) return true;  // another one has begun behind it
  const JsonText text(block.all);
  JsonCursor cursor = text.cursor(Check::all);
  cursor.skip();
  return cursor.at_end();
}

// Opens the next block, once the one before it is whole.
void ChatToMessagesStream::advance() {
  for (;;) {
    if (live_ == opened_) {  // none is open
      if (live_ == blocks_.size()) return;
      open_block();
    }
    if (live_ + 1 >= blocks_.size() || !is_whole(blocks_[live_])) return;
    close_block();
  }
}

void ChatToMessagesStream::open_block() {
  Block& block = blocks_[live_];
  json::object start;
  if (block.kind == BlockKind::text) {
    start = {{"type", "text"}, {"text", ""}};
  } else {
    start = {
        {"type", "tool_use"}, {"id", block.id}, {"name", block.name}, {"input", json::object{}}};
  }
  send("content_block_start",
       {{"index", live_ + thinking_blocks_}, {"content_block", std::move(start)}});
  ++opened_;
  send_piece(std::exchange(block.unsent, {}));
}

void ChatToMessagesStream::close_block() {
  send("content_block_stop", {{"index", live_ + thinking_blocks_}});
  ++live_;
}

void ChatToMessagesStream::send_piece(std::string_view piece) {
  if (piece.empty()) return;
  const json::object delta =
      blocks_[live_].kind == BlockKind::text
          ? json::object{{"type", "text_delta"}, {"text", piece}}
          : json::object{{"type", "input_json_delta"}, {"partial_json", piece}};
  send("content_block_delta", {{"index", live_ + thinking_blocks_}, {"delta", delta}});
}

void ChatToMessagesStream::send(std::string_view type, json::object members) {
  json::object event{{"type", type}};
  for (auto& [key, value] : members) event[key] = std::move(value);
  out_ += "event: " + std::string(type) + "\ndata: " + wire_text(event) + "\n\n";
}

void ChatToMessagesStream::take_done() {
  if (started_) end();
  ended_ = true;
}

std::string ChatToMessagesStream::finish() {
  // Without [DONE], a finish reason says that the answer is whole.
  if (!ended_ && started_ && !finish_reason_.empty()) end();
  return std::exchange(out_, {});
}

void ChatToMessagesStream::end() {
  ended_ = true;
  while (live_ < blocks_.size()) {
    if (live_ == opened_) open_block();
    close_block();
  }
  std::string_view stop_reason = stop_reason_of(finish_reason_);
  const bool has_calls = std::ranges::any_of(
      blocks_, [](const Block& block) { return block.kind == BlockKind::tool; });
  if (stop_reason == "end_turn" && has_calls) stop_reason = "tool_use";
  if (stop_reason == "end_turn" && !stop_sequence_.empty()) stop_reason = "stop_sequence";
  if (has_refusal_) stop_reason = "refusal";
  json::value stop_sequence = nullptr;
  if (stop_reason == "stop_sequence") stop_sequence = stop_sequence_;
  json::object usage = usage_to_messages(usage_);
  if (usage_.is_null()) usage["input_tokens"] = context_.prompt_tokens;
  send("message_delta", {{"delta", json::object{{"stop_reason", stop_reason},
                                                {"stop_sequence", std::move(stop_sequence)}}},
                         {"usage", std::move(usage)}});
  send("message_stop", {});
}

}  // namespace understudy::wire
