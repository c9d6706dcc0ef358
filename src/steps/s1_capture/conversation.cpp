#include "steps/s1_capture/conversation.hpp"

#include <string.h>  // memmem
#include <xxhash.h>

#include <string>

#include "adapters/wire/json_cursor.hpp"

namespace understudy::s1 {

namespace {

using wire::Api;
using wire::ItemKind;
using wire::JsonCursor;
using wire::JsonText;

constexpr std::size_t print_characters = 256;

std::string_view slice(std::string_view body, const TextRange& range) {
  return body.substr(range.begin, range.bytes);
}

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

// Reads messages until it knows what tells the answer apart.
class Print {
 public:
  // An assistant message of the chat or messages API, or a whole answer of the latter.
  void take_message(JsonCursor& cursor) {
    cursor.each_member([&](std::string_view key) {
      if (key == "content") {
        take_content(cursor);
      } else if (key == "tool_calls") {
        cursor.each_element([&] { take_call(cursor, "id"); });
      }
    });
  }

  // An item of the Responses API.
  void take_item(JsonCursor& cursor) {
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

  [[nodiscard]] std::uint64_t value(std::uint64_t seed) const {
    if (!call_id_.empty()) return chained(seed, call_id_);
    return text_.empty() ? 0 : chained(seed, text_);
  }

 private:
  void take_call(JsonCursor& cursor, std::string_view id_key) {
    cursor.each_member([&](std::string_view key) {
      if (key != id_key || !call_id_.empty()) return;
      if (const auto id = cursor.string()) call_id_ = "call:" + wire::unescape(*id);
    });
  }

  // A text, or parts: {"type":"text","text"}, {"type":"tool_use","id"}, ...
  void take_content(JsonCursor& cursor) {
    if (const auto text = cursor.string()) {
      take_text(*text);
      return;
    }
    cursor.each_element([&] {
      JsonCursor again = cursor;
      bool is_call = false;
      cursor.each_member([&](std::string_view key) {
        if (key == "type") {
          is_call = cursor.string() == "tool_use";
        } else if (key == "text") {
          if (const auto text = cursor.string()) take_text(*text);
        }
      });
      if (is_call) take_call(again, "id");
    });
  }

  void take_text(std::string_view escaped) {
    if (!text_.empty()) return;
    constexpr std::size_t escape_bytes_max = 6;
    const std::string text = wire::unescape(escaped.substr(0, escape_bytes_max * print_characters));
    // Clients strip white space from answers.
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return;
    text_ = text.substr(begin, print_characters);
    text_.resize(text_.find_last_not_of(" \t\r\n") + 1);
  }

  std::string call_id_;
  std::string text_;
};

}  // namespace

std::uint64_t chained(std::uint64_t before, std::string_view text) {
  return XXH3_64bits_withSeed(text.data(), text.size(), before);
}

Conversation read_conversation(Api api, const wire::RequestScan& scan, std::string_view body,
                               std::uint64_t seed) {
  Conversation found{.turns = {}, .chain = seed, .system = seed, .opening = 0};
  if (scan.system.bytes > 0) found.system = chained(found.system, slice(body, scan.system));
  bool in_turn = false;
  bool opened = false;
  for (std::size_t i = 0; i < scan.items.size(); ++i) {
    const wire::RequestItem& item = scan.items[i];
    const std::string_view text = slice(body, item.range);
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
    if (!opened) found.opening = chained(found.system, text);
    opened = true;
  }
  if (!opened) found.opening = chained(found.system, body);
  return found;
}

std::uint64_t print_of_turn(Api api, const wire::RequestScan& scan, std::string_view body,
                            const ModelTurn& turn, std::uint64_t seed) {
  Print print;
  for (std::size_t i = turn.begin; i < turn.end; ++i) {
    const JsonText text(slice(body, scan.items[i].range));
    JsonCursor cursor = text.cursor();
    if (api == Api::responses) {
      print.take_item(cursor);
    } else {
      print.take_message(cursor);
    }
  }
  return print.value(seed);
}

std::uint64_t print_of_answer(Api api, std::string_view response, std::uint64_t seed) {
  const JsonText text(response);
  JsonCursor cursor = text.cursor();
  Print print;
  if (api == Api::messages) {
    print.take_message(cursor);
    return print.value(seed);
  }
  cursor.each_member([&](std::string_view key) {
    if (key == "output") {
      cursor.each_element([&] { print.take_item(cursor); });
    } else if (key == "choices") {
      cursor.each_element([&] {
        cursor.each_member([&](std::string_view name) {
          if (name == "message") print.take_message(cursor);
        });
      });
    }
  });
  return print.value(seed);
}

}  // namespace understudy::s1
