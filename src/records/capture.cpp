#include "records/capture.hpp"

namespace understudy {

std::string_view to_string(CaptureMode mode) {
  switch (mode) {
    case CaptureMode::off: return "off";
    case CaptureMode::async: return "async";
    case CaptureMode::durable: return "durable";
  }
  return "off";
}

std::string_view to_string(WhenFull when_full) {
  return when_full == WhenFull::drop ? "drop" : "wait";
}

std::string_view to_string(LogState state) {
  switch (state) {
    case LogState::ok: return "ok";
    case LogState::full_disk: return "full_disk";
    case LogState::failing: return "failing";
  }
  return "failing";
}

std::optional<CaptureMode> parse_capture_mode(std::string_view text) {
  for (const CaptureMode mode : {CaptureMode::off, CaptureMode::async, CaptureMode::durable}) {
    if (text == to_string(mode)) return mode;
  }
  return std::nullopt;
}

std::optional<WhenFull> parse_when_full(std::string_view text) {
  for (const WhenFull when_full : {WhenFull::wait, WhenFull::drop}) {
    if (text == to_string(when_full)) return when_full;
  }
  return std::nullopt;
}

}  // namespace understudy
