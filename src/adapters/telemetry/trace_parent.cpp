#include "adapters/telemetry/trace_parent.hpp"

#include <algorithm>
#include <span>

namespace understudy::telemetry {

namespace {

int digit_of(char c) {  // lower case only, as the specification wants it
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit_of(text[2 * i]);
    const int low = digit_of(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<std::uint8_t>(16 * high + low);
  }
  return true;
}

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

// "00-<32 hex>-<16 hex>-<2 hex>"; later versions may go on behind another '-'.
std::optional<TraceParent> parse_trace_parent(std::string_view header) {
  constexpr std::size_t bytes = 55;
  if (header.size() < bytes || header[2] != '-' || header[35] != '-' || header[52] != '-')
    return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceParent parent;
  if (!read_hex(header.substr(0), version) || !read_hex(header.substr(3), parent.trace) ||
      !read_hex(header.substr(36), parent.span) || !read_hex(header.substr(53), flags))
    return std::nullopt;
  if (version[0] == 0xff || all_zero(parent.trace) || all_zero(parent.span)) return std::nullopt;
  if (header.size() > bytes && (version[0] == 0 || header[bytes] != '-')) return std::nullopt;
  parent.sampled = (flags[0] & 1) != 0;
  return parent;
}

}  // namespace understudy::telemetry
