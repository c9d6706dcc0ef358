// Files of this module: a magic word, values as they lie in a little-endian processor's memory, and
// behind all the XXH3 of what stands before it. Private to adapters/text. Pure.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::text {

static_assert(std::endian::native == std::endian::little, "files are read and written as they lie");

// Appends the checksum; a function of its own so that the fuzzers get behind it.
std::string with_checksum(std::string body);
// What stands between the magic and the checksum, or why there is no such thing.
std::expected<std::string_view, std::string_view> body_of(std::string_view bytes,
                                                          std::string_view magic);

// Takes values off the front; every read says whether there was enough left.
class BytesReader {
 public:
  explicit BytesReader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::string_view> take(std::size_t count) {
    if (count > rest_.size()) return std::nullopt;
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  template <class T>
  bool read(std::vector<T>& values, std::size_t count) {
    if (count > rest_.size() / sizeof(T)) return false;
    values.resize(count);
    if (count != 0) std::memcpy(values.data(), rest_.data(), count * sizeof(T));
    rest_.remove_prefix(count * sizeof(T));
    return true;
  }

  template <class T>
  bool read(T& value) {
    const auto bytes = take(sizeof(value));
    if (bytes) std::memcpy(&value, bytes->data(), sizeof(value));
    return bytes.has_value();
  }

  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace understudy::text
