#include "adapters/wire/responses_stream.hpp"

#include <algorithm>
#include <array>

#include "base/limits.hpp"

namespace understudy::wire {

namespace {

// Where the pieces of a kind of delta go.
struct Kind {
  std::string_view name;       // the event's type is this and ".delta"
  std::string_view list;       // of the item: the list of parts; empty: a member of the item itself
  std::string_view part_type;  // of a part in that list
  std::string_view member;     // that the pieces add up to
};

constexpr std::array kinds = {
    Kind{"response.output_text", "content", "output_text", "text"},
    Kind{"response.refusal", "content", "refusal", "refusal"},
    Kind{"response.reasoning_text", "content", "reasoning_text", "text"},
    Kind{"response.reasoning_summary_text", "summary", "summary_text", "text"},
    Kind{"response.function_call_arguments", "", "", "arguments"},
    Kind{"response.mcp_call_arguments", "", "", "arguments"},
    Kind{"response.custom_tool_call_input", "", "", "input"},
    Kind{"response.code_interpreter_call_code", "", "", "code"},
};

const Kind* kind_of(std::string_view type) {
  constexpr std::string_view suffix = ".delta";
  if (!type.ends_with(suffix)) return nullptr;
  type.remove_suffix(suffix.size());
  const auto found = std::ranges::find(kinds, type, &Kind::name);
  return found == kinds.end() ? nullptr : &*found;
}

}  // namespace

void ResponsesStream::take_event(const SseEvent& event, JsonCursor& cursor) {
  constexpr std::int64_t sequence_number_max = std::int64_t{1} << 53;
  Event found;
  found.type = event.type;
  bool is_error = false;
  cursor.each_member([&](std::string_view key) {
    if (key == "type") {
      found.type = cursor.string().value_or(found.type);
    } else if (key == "sequence_number") {
      if (const auto number = cursor.integer();
          number && *number >= next_sequence_number_ && !behind_fault())
        next_sequence_number_ = *number < sequence_number_max ? *number + 1 : *number;
    } else if (key == "output_index") {
      found.output_index = cursor.integer().value_or(0);
    } else if (key == "content_index" || key == "summary_index") {
      found.part_index = cursor.integer().value_or(0);
    } else if (key == "delta") {
      found.delta = cursor.string().value_or("");
    } else if (key == "response" && cursor.peek() == '{') {
      found.response = cursor.skip();
    } else if (key == "item" && cursor.peek() == '{') {
      found.item = cursor.skip();
    } else if (key == "error") {
      is_error = !cursor.null();
    } else if (key == "object") {  // vLLM's shape
      is_error |= cursor.string() == "error";
    }
  });
  if (found.type == "error" || found.type == "response.failed" || is_error) set_error(event);
  if (found.type == "response.completed" || found.type == "response.incomplete" ||
      found.type == "response.failed") {
    take_end(found.response);
  } else if (found.type == "response.output_item.added") {
    take_item(found, false);
  } else if (found.type == "response.output_item.done") {
    take_item(found, true);
  } else if (!found.response.empty()) {
    take_snapshot(found.response);
  } else if (!found.delta.empty()) {
    take_delta(found);
  }
}

// response.created, response.in_progress, response.queued
void ResponsesStream::take_snapshot(std::string_view response) {
  if (response_ == response) return;
  response_.clear();
  keep(response_, response);
  const ResponseFacts facts = read_response(Api::responses, response);
  id_ = facts.id;
  model_ = facts.served_model;
}

void ResponsesStream::take_end(std::string_view response) {
  done_ = true;
  if (response.empty()) return;
  items_.clear();
  response_.clear();
  keep(response_, response);
  ResponseFacts facts = read_response(Api::responses, response);
  id_ = std::move(facts.id);
  model_ = std::move(facts.served_model);
  usage_ = facts.usage;
  finish_reason_ = std::move(facts.finish_reason);
}

ResponsesStream::Item* ResponsesStream::item_at(std::int64_t index) {
  const auto found = std::ranges::find(items_, index, &Item::index);
  if (found != items_.end()) return &*found;
  if (items_.size() == limits::stream_parts_max) return nullptr;
  Item& item = items_.emplace_back();
  item.index = index;
  return &item;
}

void ResponsesStream::take_item(const Event& event, bool is_done) {
  Item* item = item_at(event.output_index);
  if (item == nullptr) return;
  item->text.clear();
  keep(item->text, event.item);
  item->is_done = is_done;
  if (is_done) item->pieces.clear();
  has_content_ |= is_done || event.item.contains("_call");
}

void ResponsesStream::take_delta(const Event& event) {
  const Kind* kind = kind_of(event.type);
  if (kind == nullptr) return;
  Item* item = item_at(event.output_index);
  if (item == nullptr || item->is_done) return;
  has_content_ = true;
  for (Piece& piece : item->pieces) {
    if (piece.kind == kind->name && piece.index == event.part_index) {
      keep(piece.text, event.delta);
      return;
    }
  }
  if (item->pieces.size() == limits::stream_parts_max) return;
  item->pieces.push_back({.kind = kind->name, .index = event.part_index, .text = {}});
  keep(item->pieces.back().text, event.delta);
}

// An item whose end never came: as it was added, with the pieces that came since.
std::string ResponsesStream::rebuilt(const Item& item) {
  RawMembers members;
  for (const Piece& piece : item.pieces) {
    const Kind& kind = *std::ranges::find(kinds, piece.kind, &Kind::name);
    if (kind.list.empty()) {
      *member(members, kind.member) = in_quotes(piece.text);
      continue;
    }
    JsonWriter part;
    part.open('{');
    part.quoted("type", kind.part_type);
    part.quoted(kind.member, piece.text);
    if (kind.part_type == "output_text") part.raw("annotations", "[]");
    part.close('}');
    std::string& list = *member(members, kind.list);
    if (!list.empty()) list += ',';
    list += part.take();
  }
  for (auto& [key, value] : members) {
    if (key == "content" || key == "summary") value = "[" + value + "]";
  }
  return with_members(item.text.empty() ? R"({"type":"message","role":"assistant"})" : item.text,
                      members);
}

std::string ResponsesStream::response_text() const {
  if (items_.empty()) return response_;
  std::vector<const Item*> in_order;
  for (const Item& item : items_) in_order.push_back(&item);
  std::ranges::sort(in_order, {}, &Item::index);
  std::string output = "[";
  for (const Item* item : in_order) {
    if (output.size() > 1) output += ',';
    output += item->is_done ? item->text : rebuilt(*item);
  }
  output += ']';
  return with_members(response_, {{"output", std::move(output)}});
}

}  // namespace understudy::wire
