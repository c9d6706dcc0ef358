// Small helpers of the stream readers. They keep strings escaped, as the events have them: pieces
// of one string joined are the escaped whole, also where an upstream splits a surrogate pair.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/wire/json_cursor.hpp"
#include "base/limits.hpp"

namespace understudy::wire {

// Values by key, in the order of their first appearance; JSON text.
using RawMembers = std::vector<std::pair<std::string, std::string>>;

// The place of a key's value, made where there is none; nullptr when there are too many keys.
inline std::string* member(RawMembers& members, std::string_view key) {
  for (auto& [name, value] : members) {
    if (name == key) return &value;
  }
  if (members.size() == limits::stream_members_max) return nullptr;
  return &members.emplace_back(key, std::string{}).second;
}

// Unescapes `escaped` into `text` unless it is there already: ids and models repeat in each event.
inline void set_text(std::string& text, std::string_view escaped) {
  if (escaped.find('\\') != std::string_view::npos) {
    text = unescape(escaped);
  } else if (text != escaped) {
    text = escaped;
  }
}

inline void set_raw(std::string& value, std::string_view raw) {
  if (value != raw) value = raw;
}

inline void set_member(RawMembers& members, std::string_view key, std::string_view raw) {
  if (std::string* value = member(members, key)) set_raw(*value, raw);
}

// The object with members replaced, or added behind its own; whatever is no object counts as {}.
std::string with_members(std::string_view object, const RawMembers& replacements);

inline std::string in_quotes(std::string_view escaped) {
  std::string text;
  text.reserve(escaped.size() + 2);
  text += '"';
  text += escaped;
  text += '"';
  return text;
}

// `,"key":value`, without the comma behind an opening bracket.
class JsonWriter {
 public:
  void open(char bracket) {
    separate();
    text_ += bracket;
  }
  void close(char bracket) { text_ += bracket; }
  void key(std::string_view escaped_key) {
    separate();
    text_ += '"';
    text_ += escaped_key;
    text_ += "\":";
  }
  void raw(std::string_view value) {
    separate();
    text_ += value;
  }
  void quoted(std::string_view escaped) {
    separate();
    text_ += '"';
    text_ += escaped;
    text_ += '"';
  }
  void raw(std::string_view name, std::string_view value) {
    key(name);
    text_ += value;
  }
  void quoted(std::string_view name, std::string_view escaped) {
    key(name);
    quoted(escaped);
  }
  void text(std::string_view name, std::string_view plain);  // escapes it
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void separate() {
    if (!text_.empty() && std::string_view("{[:,").find(text_.back()) == std::string_view::npos)
      text_ += ',';
  }
  std::string text_;
};

}  // namespace understudy::wire
