#include "steps/s2_curate/detect/utf8.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "steps/s2_curate/detect/characters.hpp"

namespace understudy::s2 {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

using Block = std::array<std::uint64_t, 4>;
constexpr std::size_t block_bytes = sizeof(Block);
constexpr std::uint64_t high_bits = 0x8080808080808080U;

Block read_block(const char* bytes) {
  Block block;
  std::memcpy(block.data(), bytes, block_bytes);
  return block;
}

bool is_ascii(const char* bytes) {
  const Block block = read_block(bytes);
  return ((block[0] | block[1] | block[2] | block[3]) & high_bits) == 0;
}

bool is_ascii_word(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return (word & high_bits) == 0;
}

// Bytes of the block that are 10xxxxxx.
std::size_t continuations(const char* bytes) {
  if (is_ascii(bytes)) return 0;
  std::size_t count = 0;
  for (const std::uint64_t word : read_block(bytes))
    count += static_cast<std::size_t>(std::popcount(word & ~(word << 1U) & high_bits));
  return count;
}

struct Character {
  std::size_t bytes = 1;
  bool valid = true;
};

Character read(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {};
  std::size_t bytes = 0;
  unsigned low = 0x80;  // of the second byte: no overlong forms, no surrogates, none above 10FFFF
  unsigned high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) bytes = 2;
  if (lead >= 0xe0 && lead <= 0xef) bytes = 3;
  if (lead >= 0xf0 && lead <= 0xf4) bytes = 4;
  if (bytes == 0) return {.bytes = 1, .valid = false};
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  if (byte(1) < low || byte(1) > high) return {.bytes = 1, .valid = false};
  for (std::size_t i = 2; i < bytes; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return {.bytes = i, .valid = false};
  }
  return {.bytes = bytes, .valid = true};
}

}  // namespace

std::optional<std::string> repair_utf8(std::string_view text) {
  std::optional<std::string> out;
  std::size_t copied_to = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    if (at + block_bytes <= text.size() && is_ascii(text.data() + at)) {
      at += block_bytes;
      continue;
    }
    if (at + sizeof(std::uint64_t) <= text.size() && is_ascii_word(text.data() + at)) {
      at += sizeof(std::uint64_t);
      continue;
    }
    if ((text[at] & '\x80') == 0) {
      ++at;
      continue;
    }
    const Character character = read(text, at);
    if (!character.valid) {
      if (!out) out.emplace();
      *out += text.substr(copied_to, at - copied_to);
      *out += replacement;
      copied_to = at + character.bytes;
    }
    at += character.bytes;
  }
  if (out) *out += text.substr(copied_to);
  return out;
}

std::size_t CodePoints::before(std::size_t byte) {
  if (byte < byte_) {
    byte_ = 0;
    count_ = 0;
  }
  const std::string_view between = text_.substr(byte_, byte - byte_);
  std::size_t at = 0;
  for (; at + block_bytes <= between.size(); at += block_bytes)
    count_ += block_bytes - continuations(between.data() + at);
  count_ += static_cast<std::size_t>(
      std::ranges::count_if(between.substr(at), [](char c) { return !is_continuation(c); }));
  byte_ += between.size();
  return count_;
}

}  // namespace understudy::s2
