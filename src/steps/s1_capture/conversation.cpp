#include "steps/s1_capture/conversation.hpp"

#include <string.h>  // memmem
#include <xxhash.h>

#include <string>

#include "adapters/wire/answer_mark.hpp"
#include "adapters/wire/json_cursor.hpp"

namespace understudy::s1 {

namespace {

using wire::Api;
using wire::ItemKind;
using wire::JsonCursor;
using wire::JsonText;

bool said_by_model(Api api, ItemKind kind) {
  // Reasoning items of the Responses API stand in front of the calls that they led to.
  return kind == ItemKind::assistant || kind == ItemKind::tool_call ||
         (kind == ItemKind::other && api == Api::responses);
}

bool holds_cache_control(std::string_view item) {
  constexpr std::string_view key = "cache_control";
  return memmem(item.data(), item.size(), key.data(), key.size()) != nullptr;
}

// The value without cache_control, with a content that is one text written as a list of it: clients
// that mark a message for the cache turn the one into the other.
void write_plain(JsonCursor& cursor, std::string_view key, std::string& out) {
  if (key == "content" && cursor.peek() == '"') {
    out += R"([{type:"text",text:)";  // in the form of the branches below
    out += cursor.skip();
    out += ",},]";
  } else if (cursor.peek() == '{') {
    out += '{';
    cursor.each_member([&](std::string_view name) {
      if (name == "cache_control") return;
      out += name;
      out += ':';
      write_plain(cursor, name, out);
      out += ',';
    });
    out += '}';
  } else if (cursor.peek() == '[') {
    out += '[';
    cursor.each_element([&] {
      write_plain(cursor, {}, out);
      out += ',';
    });
    out += ']';
  } else {
    out += cursor.skip();
  }
}

std::uint64_t with_item(Api api, std::uint64_t chain, std::string_view item) {
  if (api != Api::messages && !holds_cache_control(item)) return chained(chain, item);
  const JsonText text(item);
  JsonCursor cursor = text.cursor();
  std::string plain;
  plain.reserve(item.size() + 64);
  write_plain(cursor, {}, plain);
  return chained(chain, plain);
}

}  // namespace

std::string_view bytes_of(const std::uint64_t& number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

std::uint64_t chained(std::uint64_t before, std::string_view text) {
  return XXH3_64bits_withSeed(text.data(), text.size(), before);
}

Conversation read_conversation(Api api, const wire::RequestScan& scan, std::string_view body,
                               std::uint64_t seed) {
  Conversation found{.turns = {}, .chain = seed, .system = seed, .opening = 0};
  if (scan.system.bytes > 0) found.system = chained(found.system, wire::slice(body, scan.system));
  bool in_turn = false;
  bool opened = false;
  for (std::size_t i = 0; i < scan.items.size(); ++i) {
    const wire::RequestItem& item = scan.items[i];
    const std::string_view text = wire::slice(body, item.range);
    if (item.kind == ItemKind::system) {
      found.system = chained(found.system, text);
      continue;
    }
    if (said_by_model(api, item.kind)) {
      if (!in_turn) found.turns.push_back({.begin = i, .end = i, .chain = found.chain});
      found.turns.back().end = i + 1;
      in_turn = true;
    } else {
      in_turn = false;
    }
    found.chain = with_item(api, found.chain, text);
    if (!opened) found.opening = chained(found.system, bytes_of(found.chain));
    opened = true;
  }
  if (!opened) found.opening = chained(found.system, body);
  return found;
}

std::string words_of_turn(Api api, const wire::RequestScan& scan, std::string_view body,
                          const ModelTurn& turn) {
  std::string text;
  for (std::size_t i = turn.begin; i < turn.end; ++i) {
    const std::string_view item = wire::slice(body, scan.items[i].range);
    const JsonText json(item);
    JsonCursor cursor = json.cursor();
    wire::AnswerMark mark;
    if (api == Api::responses) {
      mark.take_item(cursor);
    } else {
      mark.take_message(cursor);
    }
    if (mark.call_id.bytes > 0) return mark.words(item);
    if (text.empty()) text = mark.words(item);
  }
  return text;
}

}  // namespace understudy::s1
