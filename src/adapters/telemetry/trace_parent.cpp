#include "adapters/telemetry/trace_parent.hpp"

#include <algorithm>
#include <span>

#include "base/hex.hpp"

namespace understudy::telemetry {

namespace {

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

// "00-<32 hex>-<16 hex>-<2 hex>", lower case; later versions may go on behind another '-'.
std::optional<TraceParent> parse_trace_parent(std::string_view header) {
  constexpr std::size_t bytes = 55;
  if (header.size() < bytes || header[2] != '-' || header[35] != '-' || header[52] != '-')
    return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceParent parent;
  if (!from_lower_hex(header, version) || !from_lower_hex(header.substr(3), parent.trace) ||
      !from_lower_hex(header.substr(36), parent.span) || !from_lower_hex(header.substr(53), flags))
    return std::nullopt;
  if (version[0] == 0xff || all_zero(parent.trace) || all_zero(parent.span)) return std::nullopt;
  if (header.size() > bytes && (version[0] == 0 || header[bytes] != '-')) return std::nullopt;
  parent.sampled = (flags[0] & 1) != 0;
  return parent;
}

}  // namespace understudy::telemetry
