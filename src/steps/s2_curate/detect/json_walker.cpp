#include "steps/s2_curate/detect/json_walker.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "steps/s2_curate/detect/characters.hpp"

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
    if (token.size() < number_digits_min || !std::ranges::all_of(token, is_digit)) return {};
    visitor_.leaf({.kind = JsonLeaf::Kind::number,
                   .text = token,
                   .key = key,
                   .depth = depth_,
                   .begin = begin,
                   .end = at_});
    return {};
  }

  static bool is_scalar(std::string_view token) {
    if (token == "true" || token == "false" || token == "null") return true;
    return (is_digit(token.front()) || token.front() == '-') &&
           token.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
  }

  // Moves behind the string at at_; escapes_ says whether it had any.
  Status skip_string() {
    const char* const data = text_.data();
    const std::size_t size = text_.size();
    escapes_ = false;
    ++at_;
    while (true) {
      const auto* quote = static_cast<const char*>(std::memchr(data + at_, '"', size - at_));
      if (quote == nullptr) {
        at_ = size;
        return malformed();
      }
      const auto end = static_cast<std::size_t>(quote - data);
      const auto* escape = static_cast<const char*>(std::memchr(data + at_, '\\', end - at_));
      if (escape == nullptr) {
        at_ = end + 1;
        return {};
      }
      escapes_ = true;
      at_ = static_cast<std::size_t>(escape - data) + 2;
      if (at_ > size) return malformed();
      // Escapes come close together: step by byte while they do.
      while (at_ < size && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2U : 1U;
      if (at_ >= size) return malformed();
      ++at_;
      return {};
    }
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

std::optional<std::uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    if (!is_hex(c)) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : to_lower(c) - 'a' + 10);
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xc0U | code >> 6U);
    return byte(0x80U | (code & 63U));
  }
  if (code < 0x10000) {
    byte(0xe0U | code >> 12U);
  } else {
    byte(0xf0U | code >> 18U);
    byte(0x80U | (code >> 12U & 63U));
  }
  byte(0x80U | (code >> 6U & 63U));
  byte(0x80U | (code & 63U));
}

struct Unit {
  std::size_t token_bytes = 1;
  std::uint32_t code = 0;
};

// One escape at `at`, a surrogate pair as one.
std::optional<Unit> read_escape(std::string_view token, std::size_t at) {
  if (at + 1 >= token.size()) return std::nullopt;
  switch (token[at + 1]) {
    case 'n': return Unit{2, '\n'};
    case 't': return Unit{2, '\t'};
    case 'r': return Unit{2, '\r'};
    case 'b': return Unit{2, '\b'};
    case 'f': return Unit{2, '\f'};
    case '"':
    case '\\':
    case '/': return Unit{2, static_cast<unsigned char>(token[at + 1])};
    case 'u': break;
    default: return std::nullopt;
  }
  const auto first = hex4(token.substr(at + 2));
  if (!first) return std::nullopt;
  if (*first >= 0xd800 && *first < 0xdc00 && token.substr(at + 6, 2) == "\\u") {
    const auto second = hex4(token.substr(at + 8));
    if (second && *second >= 0xdc00 && *second < 0xe000)
      return Unit{12, 0x10000 + ((*first - 0xd800) << 10U) + (*second - 0xdc00)};
  }
  const bool lone = *first >= 0xd800 && *first < 0xe000;
  return Unit{6, lone ? 0xfffd : *first};
}

std::size_t utf8_bytes(std::uint32_t code) {
  return code < 0x80 ? 1U : code < 0x800 ? 2U : code < 0x10000 ? 3U : 4U;
}

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

std::optional<std::string> unescape_json(std::string_view token) {
  const std::string_view inside = token.substr(1, token.size() - 2);
  std::string out;
  out.reserve(inside.size());
  std::size_t at = 0;
  while (at < inside.size()) {
    const auto* escape =
        static_cast<const char*>(std::memchr(inside.data() + at, '\\', inside.size() - at));
    const std::size_t end =
        escape == nullptr ? inside.size() : static_cast<std::size_t>(escape - inside.data());
    out += inside.substr(at, end - at);
    if (escape == nullptr) break;
    const auto unit = read_escape(inside, end);
    if (!unit) return std::nullopt;
    append_utf8(out, unit->code);
    at = end + unit->token_bytes;
  }
  return out;
}

std::size_t TokenPlaces::of(std::size_t byte) {
  if (!escapes_) return 1 + byte;
  if (byte < byte_) {
    place_ = 1;
    byte_ = 0;
  }
  while (byte_ < byte && place_ + 1 < token_.size()) {
    if (token_[place_] != '\\') {
      ++place_;
      ++byte_;
      continue;
    }
    const auto unit = read_escape(token_.substr(0, token_.size() - 1), place_);
    if (!unit) break;
    place_ += unit->token_bytes;
    byte_ += utf8_bytes(unit->code);
  }
  return place_;
}

}  // namespace understudy::s2
