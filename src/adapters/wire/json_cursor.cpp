#include "adapters/wire/json_cursor.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "base/limits.hpp"

namespace understudy::wire {

namespace {

constexpr std::size_t scratch_bytes_min = 4 * limits::kibi;

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool is_hex(char byte) {
  return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

bool has_valid_escapes(std::string_view text) {
  for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    if (at + 1 >= text.size()) return false;
    const char kind = text[at + 1];
    if (kind == 'u') {
      if (at + 6 > text.size() || !std::ranges::all_of(text.substr(at + 2, 4), is_hex))
        return false;
      at += 6;
    } else {
      if (std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos) return false;
      at += 2;
    }
  }
  return true;
}

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

// RFC 8259: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = digits_at(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return false;
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits_at(text, at + 1);
    if (fraction == 0) return false;
    at += 1 + fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = digits_at(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

bool is_scalar(std::string_view text) {
  switch (text.empty() ? '\0' : text.front()) {
    case '"':
      return text.size() >= 2 && text.back() == '"' &&
             has_valid_escapes(text.substr(1, text.size() - 2));
    case 't': return text == "true";
    case 'f': return text == "false";
    case 'n': return text == "null";
    default: return is_number(text);
  }
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | point >> 6);
    byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | point >> 12);
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | point >> 18);
    byte(0x80 | (point >> 12 & 0x3F));
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  }
}

std::uint32_t hex4(std::string_view text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + std::min<std::size_t>(text.size(), 4), value, 16);
  return value;
}

}  // namespace

// The index of the structure, and room for a padded copy of the text.
struct JsonText::Scratch {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
  std::unique_ptr<char[]> copy;
  std::size_t copy_bytes = 0;
};

namespace {

// One scratch a thread is kept for the next text, as long as it is small.
thread_local std::unique_ptr<JsonText::Scratch> spare_scratch;

}  // namespace

JsonText::JsonText(std::string_view text) {
  scratch_ = spare_scratch ? std::move(spare_scratch) : std::make_unique<Scratch>();
  if (scratch_->copy_bytes < text.size() + padding_bytes) {
    scratch_->copy_bytes = std::bit_ceil(std::max(text.size() + padding_bytes, scratch_bytes_min));
    scratch_->copy = std::make_unique_for_overwrite<char[]>(scratch_->copy_bytes);
  }
  if (!text.empty()) std::memcpy(scratch_->copy.get(), text.data(), text.size());
  std::memset(scratch_->copy.get() + text.size(), 0, padding_bytes);
  index(scratch_->copy.get(), text.size());
}

JsonText::JsonText(std::string& text) {
  scratch_ = spare_scratch ? std::move(spare_scratch) : std::make_unique<Scratch>();
  text.reserve(text.size() + padding_bytes);
  index(text.data(), text.size());
}

JsonText::~JsonText() {
  const bool is_small =
      scratch_->copy_bytes <= limits::inline_parse_bytes_max &&
      (!scratch_->parser || scratch_->parser->capacity() <= limits::inline_parse_bytes_max);
  if (!spare_scratch && is_small) spare_scratch = std::move(scratch_);
}

void JsonText::index(const char* text, std::size_t bytes) {
  const std::size_t capacity = std::bit_ceil(std::max(bytes, scratch_bytes_min));
  if (!scratch_->parser) {
    CHECK(simdjson::get_active_implementation()->create_dom_parser_implementation(
              capacity, 1, scratch_->parser) == simdjson::SUCCESS,
          "simdjson makes a parser");
  } else if (scratch_->parser->capacity() < bytes) {
    CHECK(scratch_->parser->set_capacity(capacity) == simdjson::SUCCESS, "simdjson grows");
  }
  const auto error = scratch_->parser->stage1(reinterpret_cast<const std::uint8_t*>(text), bytes,
                                              simdjson::stage1_mode::regular);
  text_ = error == simdjson::SUCCESS ? text : nullptr;
}

JsonCursor JsonText::cursor(Check check) const {
  if (text_ == nullptr) {
    static constexpr std::uint32_t none = 0;
    JsonCursor cursor("", &none, &none, check);
    cursor.fail();
    return cursor;
  }
  const std::uint32_t* begin = scratch_->parser->structural_indexes.get();
  return {text_, begin, begin + scratch_->parser->n_structural_indexes, check};
}

bool JsonCursor::enter(char open) {
  if (peek() != open || ++depth_ > depth_max) {
    fail();
    return false;
  }
  ++at_;
  return true;
}

bool JsonCursor::leave(char close) {
  if (peek() != close) {
    fail();
    return false;
  }
  --depth_;
  ++at_;
  return true;
}

std::string_view JsonCursor::token() {
  const char* begin = text_ + *at_;
  const char* end = text_ + at_[1];  // behind the last one the index holds the text's length
  while (end > begin && (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\t'))
    --end;
  ++at_;
  const std::string_view scalar(begin, static_cast<std::size_t>(end - begin));
  if (check_ == Check::all && !is_scalar(scalar)) fail();
  return scalar;
}

std::optional<std::string_view> JsonCursor::string() {
  if (peek() != '"') return std::nullopt;
  const std::string_view quoted = token();
  if (quoted.size() < 2 || quoted.back() != '"') {
    fail();
    return std::nullopt;
  }
  return quoted.substr(1, quoted.size() - 2);
}

std::optional<std::int64_t> JsonCursor::integer() {
  if (peek() != '-' && !is_digit(peek())) return std::nullopt;
  const std::string_view text = token();
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<bool> JsonCursor::boolean() {
  if (peek() != 't' && peek() != 'f') return std::nullopt;
  return token() == "true";
}

bool JsonCursor::null() {
  if (peek() != 'n') return false;
  token();
  return true;
}

std::string_view JsonCursor::skip() {
  const char* begin = text_ + *at_;
  switch (peek()) {
    case '{': each_member([](std::string_view) {}); break;
    case '[': each_element([] {}); break;
    case '\0':
    case '}':
    case ']':
    case ',':
    case ':': fail(); return {};
    default: return token();
  }
  if (failed_) return {};
  return {begin, static_cast<std::size_t>(text_ + at_[-1] + 1 - begin)};
}

std::string unescape(std::string_view escaped) {
  std::string text;
  text.reserve(escaped.size());
  while (!escaped.empty()) {
    const std::size_t plain = escaped.find('\\');
    text += escaped.substr(0, plain);
    if (plain == std::string_view::npos || plain + 1 >= escaped.size()) break;
    const char kind = escaped[plain + 1];
    escaped.remove_prefix(plain + 2);
    switch (kind) {
      case 'b': text += '\b'; break;
      case 'f': text += '\f'; break;
      case 'n': text += '\n'; break;
      case 'r': text += '\r'; break;
      case 't': text += '\t'; break;
      case 'u': {
        std::uint32_t point = hex4(escaped);
        escaped.remove_prefix(std::min<std::size_t>(escaped.size(), 4));
        if (point >= 0xD800 && point < 0xDC00 && escaped.starts_with("\\u")) {
          const std::uint32_t low = hex4(escaped.substr(2));
          if (low >= 0xDC00 && low < 0xE000) {
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
            escaped.remove_prefix(std::min<std::size_t>(escaped.size(), 6));
          }
        }
        append_utf8(text, point >= 0xD800 && point < 0xE000 ? 0xFFFD : point);
        break;
      }
      default: text += kind;
    }
  }
  return text;
}

}  // namespace understudy::wire
