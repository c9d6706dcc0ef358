// The W3C header `traceparent`: whose trace a call belongs to (w3.org/TR/trace-context). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace understudy::telemetry {

struct TraceParent {
  std::array<std::uint8_t, 16> trace{};
  std::array<std::uint8_t, 8> span{};
  bool sampled = false;
};

// Nothing for anything that the specification calls invalid: then a trace of its own begins.
std::optional<TraceParent> parse_trace_parent(std::string_view header);

}  // namespace understudy::telemetry
