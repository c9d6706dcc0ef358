// How the gateway's calls get into the call log, and what became of them: the words of the
// configuration and the figures of /health and /metrics. Plain data, known to every part.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace understudy {

enum class CaptureMode {
  off,      // nothing is recorded
  async,    // answers do not wait for the disk: a kill loses at most the last group
  durable,  // the last byte of an answer waits until its call is on the disk
};

enum class WhenFull {
  wait,  // answers wait for room: nothing is lost, agents become slower
  drop,  // calls that find no room are not recorded, and counted
};

enum class LogState { ok, full_disk, failing };

std::string_view to_string(CaptureMode mode);
std::string_view to_string(WhenFull when_full);
std::string_view to_string(LogState state);
std::optional<CaptureMode> parse_capture_mode(std::string_view text);
std::optional<WhenFull> parse_when_full(std::string_view text);

// Since the process started. appended = committed + lost + what is under way.
struct CaptureCounters {
  std::uint64_t appended = 0;   // calls that found room in the ring
  std::uint64_t committed = 0;  // calls that are on the disk for certain
  std::uint64_t dropped = 0;    // calls that found none (WhenFull::drop)
  std::uint64_t lost = 0;       // calls that a full or failing disk did not take
  std::uint64_t ring_records = 0;
  std::uint64_t ring_bytes = 0;
  std::uint64_t commits = 0;  // groups: one fdatasync each
  std::int64_t commit_us_sum = 0;
  std::int64_t commit_us_max = 0;
  std::uint64_t segments = 0;       // made by this process
  std::uint64_t log_bytes = 0;      // written by this process
  std::uint64_t content_bytes = 0;  // requests and responses, before they became log_bytes
  LogState state = LogState::ok;
};

}  // namespace understudy
