#include "steps/s2_curate/detect/json_token.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

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
  bool lone_surrogate = false;
};

// What stands for the character behind a backslash; 0 where none does.
constexpr auto short_escapes = [] {
  std::array<char, 256> table{};
  const auto set = [&](char written, char meant) {
    table[static_cast<unsigned char>(written)] = meant;
  };
  for (const char c : {'"', '\\', '/'}) set(c, c);
  set('n', '\n');
  set('t', '\t');
  set('r', '\r');
  set('b', '\b');
  set('f', '\f');
  return table;
}();

// One escape at `at`, a surrogate pair as one.
std::optional<Unit> read_escape(std::string_view token, std::size_t at) {
  if (at + 1 >= token.size()) return std::nullopt;
  if (const char plain = short_escapes[static_cast<unsigned char>(token[at + 1])]; plain != '\0')
    return Unit{2, static_cast<unsigned char>(plain)};
  if (token[at + 1] != 'u') return std::nullopt;
  const auto first = hex4(token.substr(at + 2));
  if (!first) return std::nullopt;
  if (*first >= 0xd800 && *first < 0xdc00 && token.substr(at + 6, 2) == "\\u") {
    const auto second = hex4(token.substr(at + 8));
    if (second && *second >= 0xdc00 && *second < 0xe000)
      return Unit{12, 0x10000 + ((*first - 0xd800) << 10U) + (*second - 0xdc00)};
  }
  const bool lone = *first >= 0xd800 && *first < 0xe000;
  return Unit{6, lone ? 0xfffd : *first, lone};
}

enum class LoneSurrogates { replaced, refused };

using Word = std::uint64_t;

constexpr Word each(unsigned char byte) { return byte * Word{0x0101010101010101U}; }

// The high bit of the lowest byte that is no plain text within a string (a quote, a backslash, a
// control character) is set, and of all below it none: Mycroft's test for a zero byte.
constexpr Word first_special(Word bytes) {
  const auto zeros = [](Word word) { return (word - each(1)) & ~word; };
  const Word controls = (bytes - each(0x20)) & ~bytes;
  return (zeros(bytes ^ each('"')) | zeros(bytes ^ each('\\')) | controls) & each(0x80);
}

Word read_word(const char* bytes) {
  Word word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return std::endian::native == std::endian::big ? std::byteswap(word) : word;
}

std::size_t bytes_before(Word special) {
  return static_cast<std::size_t>(std::countr_zero(special)) / 8;
}

// Copies a string of a JSON text without its escapes, whole words at a time: what it writes is
// never longer than what it has read, so there is always room.
class Unescaper {
 public:
  Unescaper(std::string_view json, std::size_t begin)
      : json_(json), at_(begin), out_(json.size() - begin, '\0') {}

  [[nodiscard]] std::size_t at() const { return at_; }

  // Up to the next quote, backslash or control character.
  void copy_plain() {
    while (at_ + sizeof(Word) <= json_.size()) {
      std::memcpy(out_.data() + size_, json_.data() + at_, sizeof(Word));
      const Word special = first_special(read_word(json_.data() + at_));
      const std::size_t copied = special == 0 ? sizeof(Word) : bytes_before(special);
      at_ += copied;
      size_ += copied;
      if (special != 0) return;
    }
    while (at_ < json_.size()) {
      const char c = json_[at_];
      if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) return;
      copy_byte();
    }
  }

  void copy_byte() { append(json_[at_++]); }

  bool copy_escape(LoneSurrogates lone) {
    const char next = at_ + 1 < json_.size() ? json_[at_ + 1] : '\0';
    if (const char plain = short_escapes[static_cast<unsigned char>(next)]; plain != '\0') {
      append(plain);
      at_ += 2;
      return true;
    }
    const auto unit = read_escape(json_, at_);
    if (!unit || (lone == LoneSurrogates::refused && unit->lone_surrogate)) return false;
    at_ += unit->token_bytes;
    if (unit->code < 0x80) {
      append(static_cast<char>(unit->code));
    } else {
      std::string encoded;
      append_utf8(encoded, unit->code);
      for (const char c : encoded) append(c);
    }
    return true;
  }

  std::string take() {
    out_.resize(size_);
    return std::move(out_);
  }

 private:
  void append(char c) { out_[size_++] = c; }

  std::string_view json_;
  std::size_t at_;
  std::string out_;  // its first size_ bytes are the result
  std::size_t size_ = 0;
};

std::size_t utf8_bytes(std::uint32_t code) {
  return code < 0x80 ? 1U : code < 0x800 ? 2U : code < 0x10000 ? 3U : 4U;
}

}  // namespace

std::optional<std::string> unescape_json(std::string_view token) {
  const std::string_view inside = token.substr(1, token.size() - 2);
  Unescaper unescaper(inside, 0);
  while (unescaper.at() < inside.size()) {
    unescaper.copy_plain();
    if (unescaper.at() >= inside.size()) break;
    if (inside[unescaper.at()] != '\\') {  // a control character: whoever wrote it meant it
      unescaper.copy_byte();
    } else if (!unescaper.copy_escape(LoneSurrogates::replaced)) {
      return std::nullopt;
    }
  }
  return unescaper.take();
}

StringEnd json_string_end(std::string_view json, std::size_t quote) {
  StringEnd found;
  std::size_t at = quote + 1;
  while (at < json.size()) {
    if (at + sizeof(Word) <= json.size()) {
      const Word special = first_special(read_word(json.data() + at));
      at += special == 0 ? sizeof(Word) : bytes_before(special);
      if (special == 0) continue;
    }
    const char c = json[at];
    if (c == '"') {
      found.end = at + 1;
      return found;
    }
    found.escapes |= c == '\\';
    at += c == '\\' ? 2U : 1U;
  }
  return found;
}

std::optional<JsonString> read_json_string(std::string_view json, std::size_t quote) {
  Unescaper unescaper(json, quote + 1);
  while (true) {
    unescaper.copy_plain();
    if (unescaper.at() >= json.size()) return std::nullopt;
    const char c = json[unescaper.at()];
    if (c == '"') return JsonString{.end = unescaper.at() + 1, .text = unescaper.take()};
    if (c != '\\' || !unescaper.copy_escape(LoneSurrogates::refused)) return std::nullopt;
  }
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
