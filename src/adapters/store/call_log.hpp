// The encrypted call log, reading: sealed segments under home/log/, in the order of their names
// (UUIDv7). The curator's key opens everything but erased tenants' content; the auditor's opens
// metadata. Feedback is read first and bound to its calls. docs/formats/call_log.md has the bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "records/call.hpp"
#include "records/feedback.hpp"

namespace understudy::store {

class LogIndex;

struct LogReadOptions {
  bool open_content = true;  // false: metadata only, also with the curator's key
  // Called before each segment, with the bytes of those before it.
  std::function<void(std::uint64_t bytes)> on_progress = {};
  LogIndex* index = nullptr;  // learns where the visited calls lie, for open_call()
};

// Where the audit trail stood when a segment was begun.
struct TrailAnchor {
  std::filesystem::path segment;
  std::uint64_t lines = 0;
  std::string head;  // raw hash
};

struct LogReadReport {
  std::uint64_t calls = 0;
  std::uint64_t segments = 0;
  std::uint64_t closed_segments = 0;  // of these: with an end mark, nothing can be cut off
  std::uint64_t bytes = 0;
  std::uint64_t feedback = 0;
  std::uint64_t erased_calls = 0;     // their tenant's key was destroyed
  std::uint64_t withheld_calls = 0;   // the key opens their metadata only
  std::uint64_t lost_tail_bytes = 0;  // truncated tails: reported, not an error
  std::vector<std::string> warnings;  // truncated tails, keys that are not here
  std::vector<Error> corrupt;  // segments that failed a check: calls before that point were visited
  std::vector<TrailAnchor> anchors;
};

// `visit` returns a Status; an error stops the reading and is returned. denied on a wrong key. Keys
// that the reader's key replaced (`understudy keys rotate`) are used too.
Result<LogReadReport> read_call_log(const Home& home, const crypto::SecretKey& reader,
                                    const std::function<Status(Call)>& visit,
                                    const LogReadOptions& options = {});

Result<std::vector<Feedback>> read_feedback(const Home& home, const crypto::SecretKey& reader);

// What a segment says without any key.
struct SegmentInfo {
  std::filesystem::path path;
  std::uint32_t version = 0;
  std::uint64_t bytes = 0;
  bool is_feedback = false;
  UnixMicros made_at;  // unknown in version 1
  std::string cipher;
  std::vector<std::string> fingerprints;  // of the public keys that it is sealed to
  std::optional<Error> error;             // it is no segment, or a damaged one
};
std::vector<SegmentInfo> list_segments(const Home& home);

}  // namespace understudy::store
