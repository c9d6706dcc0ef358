// The writing side of the call log: takes calls from many threads into a bounded ring
// (record_ring.hpp); one thread of its own encodes, encrypts and writes them, and commits groups
// (one fdatasync each). In a flood, threads encode their own calls, uncompressed. It knows public
// keys only. A full ring refuses (try_append) or makes the caller wait (append): nothing is dropped
// in silence. After a failed write (full disk) calls are lost and counted, memory stays flat, and
// the log is tried again after limits::log_retry_interval_ms, in a new segment. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "adapters/store/home.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "records/call.hpp"
#include "records/capture.hpp"
#include "records/feedback.hpp"

namespace understudy::store {

// Compressing text takes three times what all else takes. Beside I/O threads it may use a share of
// one core (limits::log_compression_share): then everything is compressed up to some 800 new 2 KiB
// calls a second (bursts are saved up for), beyond that a part of them, and beyond ten times that
// nothing: the compressor's tables would push out of the caches what the I/O threads need there.
enum class Compression { within_share, always };

struct CallLogOptions {
  CaptureMode mode = CaptureMode::async;  // durable: commits as soon as the disk is idle
  std::size_t ring_bytes = limits::log_ring_bytes_max;
  std::uint64_t segment_bytes = limits::segment_bytes_max;
  std::int64_t segment_age_s = limits::segment_age_s_max;
  std::int64_t retention_days = 0;  // older segments are deleted; 0 keeps them
  Compression compression = Compression::within_share;
};

class CallLogWriter {
 public:
  using Done = std::function<void(Status)>;

  // Segments are sealed to the curator and the auditor of `home`. not_found without keys.
  static Result<std::unique_ptr<CallLogWriter>> open(const Home& home,
                                                     const CallLogOptions& options = {});
  ~CallLogWriter();  // commits what was appended, ends the segment
  CallLogWriter(const CallLogWriter&) = delete;
  CallLogWriter& operator=(const CallLogWriter&) = delete;

  // Never waits and never touches the disk. False, and nothing happened, when the ring is full. A
  // large request or response is moved from `call`, the rest is copied. `done` runs on the writer's
  // thread when the call's group is on the disk, or lost.
  bool try_append(Call& call, Done done = {});
  // Runs `callback` once, on the writer's thread, when there is room again.
  void when_room(std::function<void()> callback);
  bool try_append(Feedback& feedback, Done done = {});

  // Waits while the ring is full; the error of a disk that takes nothing.
  Status append(Call call);
  Status flush();  // returns when everything appended before is on the disk; the first loss since
                   // the last flush, if there was one

  [[nodiscard]] CaptureCounters counters() const;
  void count_dropped();  // by callers that give a refused call up

 private:
  struct State;
  explicit CallLogWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::store
