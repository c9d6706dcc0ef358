#include "adapters/wire/answer_mark.hpp"

#include <optional>

namespace understudy::wire {

namespace {

constexpr std::size_t text_characters = 256;
constexpr std::size_t escape_bytes_max = 6;
constexpr std::string_view white_space = " \t\r\n";

// The string on which the cursor stands, as a place in its text.
std::optional<TextRange> string_range(JsonCursor& cursor) {
  if (cursor.peek() != '"') return std::nullopt;
  const std::size_t begin = cursor.offset() + 1;
  const auto text = cursor.string();
  if (!text) return std::nullopt;
  return TextRange{.begin = begin, .bytes = text->size()};
}

bool is_blank(std::string_view escaped) {
  while (!escaped.empty()) {
    const bool is_escape = escaped.front() == '\\' && escaped.size() > 1 &&
                           std::string_view("ntr").contains(escaped[1]);
    if (!is_escape && !white_space.contains(escaped.front())) return false;
    escaped.remove_prefix(is_escape ? 2 : 1);
  }
  return true;
}

}  // namespace

void AnswerMark::take_message(JsonCursor& cursor) {
  cursor.each_member([&](std::string_view key) {
    if (key == "content") {
      take_content(cursor);
    } else if (key == "tool_calls") {
      cursor.each_element([&] { take_call(cursor, "id"); });
    }
  });
}

void AnswerMark::take_item(JsonCursor& cursor) {
  JsonCursor again = cursor;
  bool is_call = false;
  cursor.each_member([&](std::string_view key) {
    if (key != "type") return;
    const auto type = cursor.string();
    is_call = type && type->ends_with("_call");
  });
  if (is_call) {
    take_call(again, "call_id");
  } else {
    again.each_member([&](std::string_view key) {
      if (key == "content") take_content(again);
    });
  }
}

// A text, or parts: {"type":"text","text"}, {"type":"tool_use","id"}, ...
void AnswerMark::take_content(JsonCursor& cursor) {
  if (cursor.peek() == '"') {
    take_text(cursor);
    return;
  }
  cursor.each_element([&] {
    JsonCursor again = cursor;
    bool is_call = false;
    cursor.each_member([&](std::string_view key) {
      if (key == "type") {
        is_call = cursor.string() == "tool_use";
      } else if (key == "text") {
        take_text(cursor);
      }
    });
    if (is_call) take_call(again, "id");
  });
}

void AnswerMark::take_call(JsonCursor& cursor, std::string_view id_key) {
  cursor.each_member([&](std::string_view key) {
    if (key != id_key || call_id.bytes > 0) return;
    call_id = string_range(cursor).value_or(TextRange{});
  });
}

void AnswerMark::take_text(JsonCursor& cursor) {
  if (text.bytes > 0 || cursor.peek() != '"') return;
  const std::size_t begin = cursor.offset() + 1;
  const auto escaped = cursor.string();
  if (escaped && !is_blank(*escaped)) text = {.begin = begin, .bytes = escaped->size()};
}

std::string AnswerMark::words(std::string_view body) const {
  const auto of = [body](const TextRange& range) {
    return range.begin <= body.size() ? body.substr(range.begin, range.bytes) : std::string_view();
  };
  if (call_id.bytes > 0) return "call:" + unescape(of(call_id));
  std::string plain = unescape(of(text).substr(0, escape_bytes_max * text_characters));
  const std::size_t begin = plain.find_first_not_of(white_space);
  if (begin == std::string::npos) return {};
  plain = plain.substr(begin, text_characters);
  plain.resize(plain.find_last_not_of(white_space) + 1);
  return plain;
}

}  // namespace understudy::wire
