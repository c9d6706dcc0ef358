#include "steps/s2_curate/detect/json_walker.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "steps/s2_curate/detect/characters.hpp"
#include "steps/s2_curate/detect/json_token.hpp"

namespace understudy::s2 {

namespace {

constexpr std::size_t number_digits_min = 7;
constexpr std::size_t label_bytes_max = 64;

constexpr std::size_t member_bytes_max = 9;
constexpr std::size_t known_bytes_min = 128;
constexpr std::size_t known_depth_max = 4;  // each level looks for the ends of its objects again

// Members that say what their object's value is, and members that are that value.
constexpr auto label_keys = std::to_array<std::string_view>(
    {"name", "key", "field", "label", "type", "attribute", "property", "question"});
constexpr auto value_keys =
    std::to_array<std::string_view>({"value", "values", "answer", "val", "data"});

bool is_one_of(std::string_view word, const auto& words) {
  return word.size() <= member_bytes_max && std::ranges::find(words, word) != words.end();
}

class Walker {
 public:
  Walker(std::string_view text, JsonVisitor& visitor, std::size_t depth)
      : text_(text), visitor_(visitor), depth_(depth), depth_max_(depth + json_walk_depth_max) {}

  Status run(std::string_view key) {
    TRY(value(key));
    skip_spaces();
    return at_ == text_.size() ? Status() : malformed();
  }

 private:
  [[nodiscard]] std::unexpected<Error> malformed() const {
    return fail(ErrorCode::invalid_input, "no JSON at byte " + std::to_string(at_));
  }

  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  [[nodiscard]] bool next_is(char c) {
    skip_spaces();
    return at_ < text_.size() && text_[at_] == c;
  }

  Status value(std::string_view key) {
    skip_spaces();
    if (at_ >= text_.size()) return malformed();
    switch (text_[at_]) {
      case '{': return object();
      case '[': return array(key);
      case '"': return string_leaf(key);
      default: return scalar(key);
    }
  }

  // A value whose name is not yet known: {"value": "...", "name": "phone"}.
  struct Waiting {
    std::size_t begin;
    std::size_t end;
  };

  Status object() {
    if (++depth_ > depth_max_) return malformed();
    ++at_;
    std::string label;
    std::string waiting_key;
    std::optional<Waiting> waiting;
    if (!next_is('}')) {
      while (true) {
        if (!next_is('"')) return malformed();
        const std::size_t begin = at_;
        TRY(skip_string());
        std::string unescaped;
        std::string_view key = text_.substr(begin + 1, at_ - begin - 2);
        if (escapes_) key = unescaped = TRY(text_of(begin, at_));
        visitor_.leaf({.kind = JsonLeaf::Kind::key,
                       .text = key,
                       .key = {},
                       .depth = depth_,
                       .begin = begin,
                       .end = at_});
        if (!next_is(':')) return malformed();
        ++at_;
        const bool string_follows = next_is('"');
        if (string_follows && !waiting && is_one_of(key, value_keys)) {
          waiting = Waiting{.begin = at_, .end = 0};
          waiting_key = key;
          TRY(skip_string());
          waiting->end = at_;
        } else {
          const std::size_t from = at_;
          TRY(value(key));
          if (string_follows && label.empty() && at_ - from <= label_bytes_max &&
              is_one_of(key, label_keys))
            label = TRY(text_of(from, at_));
        }
        if (next_is('}')) break;
        if (!next_is(',')) return malformed();
        ++at_;
      }
    }
    ++at_;
    if (waiting) {
      const std::size_t back = at_;
      at_ = waiting->begin;
      TRY(string_leaf(label.empty() ? waiting_key : label));
      at_ = back;
    }
    --depth_;
    return {};
  }

  Status array(std::string_view key) {
    if (++depth_ > depth_max_) return malformed();
    ++at_;
    if (!next_is(']')) {
      while (true) {
        TRY(element(key));
        if (next_is(']')) break;
        if (!next_is(',')) return malformed();
        ++at_;
      }
    }
    ++at_;
    --depth_;
    return {};
  }

  Status element(std::string_view key) {
    if (!next_is('{') || depth_ > known_depth_max) return value(key);
    const std::size_t begin = at_;
    const std::size_t end = object_end(begin);
    if (end == 0 || end - begin < known_bytes_min) return value(key);
    const JsonObject object{.text = text_.substr(begin, end - begin), .key = key, .begin = begin};
    if (visitor_.entered(object)) {
      at_ = end;
      return {};
    }
    TRY(value(key));
    visitor_.left(object);
    return {};
  }

  // Behind the bracket that closes the object at `begin`, by brackets and quotes alone; 0: none.
  [[nodiscard]] std::size_t object_end(std::size_t begin) const {
    std::size_t open = 0;
    for (std::size_t i = begin; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '"') {
        i = string_end(i + 1);
      } else if (c == '{') {
        ++open;
      } else if (c == '}' && --open == 0) {
        return i + 1;
      }
    }
    return 0;
  }

  // Of the quote that ends a string, from behind the one that begins it.
  [[nodiscard]] std::size_t string_end(std::size_t at) const {
    while (at < text_.size()) {
      const auto* quote =
          static_cast<const char*>(std::memchr(text_.data() + at, '"', text_.size() - at));
      if (quote == nullptr) return text_.size();
      const auto end = static_cast<std::size_t>(quote - text_.data());
      std::size_t escapes = 0;
      while (escapes < end && text_[end - 1 - escapes] == '\\') ++escapes;
      if (escapes % 2 == 0) return end;
      at = end + 1;
    }
    return text_.size();
  }

  Status string_leaf(std::string_view key) {
    const std::size_t begin = at_;
    TRY(skip_string());
    const std::string_view token = text_.substr(begin, at_ - begin);
    std::string unescaped;
    std::string_view text = token.substr(1, token.size() - 2);
    if (escapes_) {
      unescaped = TRY(text_of(begin, at_));
      text = unescaped;
    }
    if (looks_like_json(text) &&
        visitor_.nested({.text = text, .key = key, .depth = depth_, .begin = begin, .end = at_}))
      return {};
    if (const auto encoded = decode_whole(text)) {
      if (visitor_.nested({.text = encoded->text,
                           .key = key,
                           .depth = depth_,
                           .begin = begin,
                           .end = at_,
                           .encoded = &*encoded}))
        return {};
    }
    visitor_.leaf({.kind = JsonLeaf::Kind::text,
                   .text = text,
                   .key = key,
                   .depth = depth_,
                   .begin = begin,
                   .end = at_});
    return {};
  }

  Status scalar(std::string_view key) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != ',' && text_[at_] != ']' &&
           text_[at_] != '}')
      ++at_;
    const std::string_view token = text_.substr(begin, at_ - begin);
    if (token.empty() || !is_scalar(token)) return malformed();
    JsonLeaf leaf{.kind = JsonLeaf::Kind::number,
                  .text = token,
                  .key = key,
                  .depth = depth_,
                  .begin = begin,
                  .end = at_};
    if (token.size() >= number_digits_min && std::ranges::all_of(token, is_digit)) {
      visitor_.leaf(leaf);
    } else if (!is_letter(token.front())) {
      leaf.kind = JsonLeaf::Kind::small_number;
      visitor_.small_number(leaf);
    }
    return {};
  }

  static bool is_scalar(std::string_view token) {
    if (token == "true" || token == "false" || token == "null") return true;
    return (is_digit(token.front()) || token.front() == '-') &&
           token.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
  }

  // Moves behind the string at at_; escapes_ says whether it had any.
  Status skip_string() {
    const StringEnd string = json_string_end(text_, at_);
    escapes_ = string.escapes;
    at_ = string.end == 0 ? text_.size() : string.end;
    return string.end == 0 ? malformed() : Status();
  }

  [[nodiscard]] Result<std::string> text_of(std::size_t begin, std::size_t end) const {
    auto text = unescape_json(text_.substr(begin, end - begin));
    if (!text) return malformed();
    return std::move(*text);
  }

  std::string_view text_;
  JsonVisitor& visitor_;
  std::size_t depth_;
  std::size_t depth_max_;
  std::size_t at_ = 0;
  bool escapes_ = false;  // of the string that was skipped last
};

}  // namespace

Status walk_json(std::string_view json_text, JsonVisitor& visitor, std::string_view key,
                 std::size_t depth) {
  return Walker(json_text, visitor, depth).run(key);
}

bool looks_like_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
  return text[text.find_last_not_of(" \t\r\n")] == (text[first] == '{' ? '}' : ']');
}

}  // namespace understudy::s2
