// The gateway's way into the call log: gives a call its id and session where it has none, and
// appends it, sealed to the curator and the auditor. Needs public keys and the pseudonym key, never
// a role's secret key. Thread-safe. try_record() is for I/O threads: about a microsecond, never
// waits, never touches the disk. record() and flush() are for imports: they may wait.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/store/call_log_writer.hpp"
#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/call.hpp"
#include "records/capture.hpp"
#include "records/feedback.hpp"
#include "steps/s1_capture/pseudonyms.hpp"

namespace understudy::s1 {

struct RecorderOptions {
  CaptureMode mode = CaptureMode::async;
  WhenFull when_full = WhenFull::wait;
  std::size_t ring_bytes = limits::log_ring_bytes_max;
  std::uint64_t segment_bytes = limits::segment_bytes_max;
  std::int64_t segment_age_s = limits::segment_age_s_max;
  std::int64_t retention_days = 0;  // 0: for ever
  store::Compression compression = store::Compression::within_share;
};

class Recorder {
 public:
  // not_found (with the hint to run `understudy keys init`) for a home without keys.
  static Result<std::unique_ptr<Recorder>> open(const store::Home& home,
                                                const RecorderOptions& options = {});

  // `call.origin` holds pseudonyms already: the recorder never sees who it was. True: recorded, and
  // a large request or response was moved from `call`. False: the ring is full. WhenFull::drop: the
  // call is counted as dropped, go on. WhenFull::wait: wait for when_room() and try again.
  bool try_record(Call& call);
  // `done` runs on the writer's thread when the call's group is on the disk, or lost (an error).
  bool try_record(Call& call, std::function<void(Status)> done);
  // Runs `callback` once, on the writer's thread, when there is room again. It must be cheap.
  void when_room(std::function<void()> callback);
  // False when the ring is full; it does not count as a dropped call.
  bool record_feedback(Feedback& feedback);
  [[nodiscard]] CaptureCounters counters() const { return log_->counters(); }
  [[nodiscard]] const RecorderOptions& options() const { return options_; }

  // Waits for room. An error says that the disk takes nothing, and the call is not in the log.
  Status record(Call call);
  Status flush();  // returns when all that was recorded before is on the disk, or what was lost

  [[nodiscard]] SessionId infer_session(const json::value& request) const;
  // `kind` is "tenant", "user", "key" or "address"; an empty value stays empty.
  [[nodiscard]] std::string pseudonym(std::string_view kind, std::string_view value) const;
  [[nodiscard]] const Pseudonyms& pseudonyms() const { return pseudonyms_; }
  [[nodiscard]] std::uint64_t committed() const;  // calls that are on the disk for certain

 private:
  Recorder(Pseudonyms pseudonyms, std::unique_ptr<store::CallLogWriter> log,
           const RecorderOptions& options)
      : pseudonyms_(std::move(pseudonyms)), log_(std::move(log)), options_(options) {}

  Pseudonyms pseudonyms_;
  std::unique_ptr<store::CallLogWriter> log_;
  RecorderOptions options_;
};

}  // namespace understudy::s1
