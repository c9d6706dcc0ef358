#include "adapters/wire/messages_stream.hpp"

#include <algorithm>

#include "adapters/wire/response_facts.hpp"
#include "base/limits.hpp"

namespace understudy::wire {

void MessagesStream::take_event(const SseEvent& event, JsonCursor& cursor) {
  std::string_view type = event.type;
  std::int64_t index = 0;
  bool has_error = false;
  JsonCursor body = cursor;  // on the event's message, content_block or delta
  JsonCursor usage = cursor;
  bool has_body = false;
  bool has_usage = false;
  cursor.each_member([&](std::string_view key) {
    if (key == "type") {
      type = cursor.string().value_or(type);
    } else if (key == "index") {
      index = cursor.integer().value_or(0);
    } else if (key == "message" || key == "content_block" || key == "delta") {
      body = cursor;
      has_body = true;
    } else if (key == "usage") {
      usage = cursor;
      has_usage = true;
    } else if (key == "error") {
      has_error = !cursor.null();
    } else if (key == "object") {  // vLLM's shape
      has_error |= cursor.string() == "error";
    }
  });
  if (type == "content_block_delta") {
    if (has_body) take_delta(index, body);
  } else if (type == "content_block_start") {
    if (has_body) take_block(index, body);
  } else if (type == "message_start") {
    if (has_body) take_start(body);
  } else if (type == "message_delta") {
    if (has_body) take_message_delta(body);
    if (has_usage) take_usage(usage);
  } else if (type == "message_stop") {
    done_ = true;
  } else if (type == "error" || has_error) {
    set_error(event);
  }
}

void MessagesStream::take_start(JsonCursor& message) {
  if (!message_.empty()) return;  // seen twice from a broken gateway: the first one counts
  JsonCursor raw = message;
  keep(message_, raw.skip());
  message.each_member([&](std::string_view key) {
    if (key == "id") {
      if (const auto id = message.string()) set_text(id_, *id);
    } else if (key == "model") {
      if (const auto model = message.string()) set_text(model_, *model);
    } else if (key == "usage") {
      take_usage(message);
    }
  });
}

void MessagesStream::take_block(std::int64_t index, JsonCursor& start) {
  if (blocks_.size() == limits::stream_parts_max) return;
  Block& block = blocks_.emplace_back();
  block.index = index;
  JsonCursor raw = start;
  keep(block.start, raw.skip());
  start.each_member([&](std::string_view key) {
    if (key == "type") {
      const auto type = start.string();
      has_content_ |= type && *type != "text" && *type != "thinking";
    } else if (key == "text" || key == "thinking" || key == "signature") {
      if (const auto piece = start.string(); piece && !piece->empty())
        set_member(block.texts, key, *piece);
    }
  });
}

void MessagesStream::take_delta(std::int64_t index, JsonCursor& delta) {
  // Blocks come one after the other; the last one is nearly always meant.
  const auto found = std::ranges::find(blocks_.rbegin(), blocks_.rend(), index, &Block::index);
  if (found == blocks_.rend()) return;
  Block& block = *found;
  delta.each_member([&](std::string_view key) {
    if (key == "type") return;
    if (const auto piece = delta.string()) {
      has_content_ |= !piece->empty();
      if (key == "partial_json") {
        keep(block.input, *piece);
      } else if (std::string* text = member(block.texts, key)) {
        keep(*text, *piece);
      }
    } else if (key == "citation") {
      if (!block.citations.empty()) block.citations += ',';
      keep(block.citations, delta.skip());
    }
  });
}

void MessagesStream::take_message_delta(JsonCursor& delta) {
  delta.each_member([&](std::string_view key) {
    JsonCursor raw = delta;
    if (key == "stop_reason") stop_reason_ = delta.string().value_or(stop_reason_);
    set_member(members_, key, raw.skip());
  });
}

void MessagesStream::take_usage(JsonCursor& cursor) {
  JsonCursor raw = cursor;
  const auto counts = read_usage(cursor);
  if (!counts) return;
  counts_.merge(*counts);
  usage_ = counts_.total();
  raw.each_member([&](std::string_view key) {
    if (raw.peek() != 'n') set_member(usage_members_, key, raw.skip());
  });
}

std::string MessagesStream::finish_reason() const {
  return std::string(finish_reason_of(stop_reason_));
}

std::string MessagesStream::written(const Block& block) {
  RawMembers members;
  for (const auto& [key, text] : block.texts) members.emplace_back(key, in_quotes(text));
  if (!block.citations.empty()) members.emplace_back("citations", "[" + block.citations + "]");
  if (!block.input.empty()) {
    std::string input = unescape(block.input);
    const JsonText text(input);
    JsonCursor cursor = text.cursor(Check::all);
    cursor.skip();
    // A call that was cut is no JSON: what came of it is kept beside the empty input.
    if (cursor.at_end()) {
      members.emplace_back("input", std::move(input));
    } else {
      members.emplace_back("partial_json", in_quotes(block.input));
    }
  }
  return with_members(block.start, members);
}

std::string MessagesStream::response_text() const {
  if (message_.empty() && blocks_.empty()) return {};
  std::string content = "[";
  for (const Block& block : blocks_) {
    if (content.size() > 1) content += ',';
    content += written(block);
  }
  content += ']';
  RawMembers members = members_;
  members.emplace_back("content", std::move(content));
  if (!usage_members_.empty()) members.emplace_back("usage", with_members("{}", usage_members_));
  return with_members(message_.empty() ? R"({"type":"message","role":"assistant"})" : message_,
                      members);
}

}  // namespace understudy::wire
