#include "steps/s2_curate/surrogate/keyed_stream.hpp"

#include <charconv>
#include <utility>

#include "adapters/crypto/keys.hpp"
#include "base/check.hpp"

namespace understudy::s2 {

namespace {
constexpr std::uint32_t values = 65536;  // of the four hex digits that one number takes
constexpr std::size_t digits = 4;
constexpr std::size_t block_bytes = 64;
}  // namespace

KeyedStream::KeyedStream(const SecretText& key, std::string label)
    : key_(key), label_(std::move(label)) {}

std::uint32_t KeyedStream::next16() {
  if (at_ + digits > hex_.size()) {
    hex_ = crypto::hmac_hex(key_, label_ + "#" + std::to_string(block_++), block_bytes);
    at_ = 0;
  }
  std::uint32_t number = 0;
  std::from_chars(hex_.data() + at_, hex_.data() + at_ + digits, number, 16);
  at_ += digits;
  return number;
}

std::uint32_t KeyedStream::below(std::uint32_t bound) {
  CHECK(bound >= 1 && bound <= values, "a bound within one number");
  const std::uint32_t even = values - values % bound;
  std::uint32_t number = next16();
  while (number >= even) number = next16();
  return number % bound;
}

char KeyedStream::one_of(std::string_view characters) {
  return characters[below(static_cast<std::uint32_t>(characters.size()))];
}

}  // namespace understudy::s2
