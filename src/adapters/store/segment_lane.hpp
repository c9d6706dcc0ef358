// The segments that one kind of record goes into, one after the other: begins them, ends them by
// size, age and changed keys, and keeps what waits for the disk. Private to adapters/store; the
// log's writer owns it, one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "adapters/store/call_log_writer.hpp"
#include "adapters/store/segment_writer.hpp"

namespace understudy::store {

class SegmentLane {
 public:
  using Clock = std::chrono::steady_clock;
  using Done = CallLogWriter::Done;

  SegmentLane(const Home& home, const CallLogOptions& options, segment_format::SegmentKind kind)
      : home_(home), options_(options), kind_(kind) {}

  // A segment with room for the next record. An error is the disk's: give_up() comes next.
  Status prepare();
  // Whether prepare() and append() of this record will not touch the disk.
  [[nodiscard]] bool is_prepared_for(const RecordView& record) const;
  // An error concerns this record only.
  Status append(const RecordView& record);
  void add_waiting(Done done);  // for the record that was appended last
  // `budget_us`: time for compression in this group.
  void begin_group(std::int64_t budget_us);
  [[nodiscard]] std::int64_t budget_us() const { return budget_us_; }  // what is left of it
  [[nodiscard]] bool is_large() const;                                 // what waits for write()
  Status write();
  Status commit();
  Status end();  // commits, and ends the segment
  // After a failure: what the disk did not take is lost.
  void give_up(const Error& error);
  // Once a second or so: ends the segment when it is old or a reader's key has changed, forgets
  // tenants whose keys have.
  Status check();

  [[nodiscard]] bool is_open() const { return segment_.has_value(); }
  [[nodiscard]] Clock::time_point end_at() const;

  struct Settled {
    std::uint64_t committed = 0;
    std::uint64_t lost = 0;
    std::uint64_t bytes = 0;     // written
    std::uint64_t segments = 0;  // made
  };
  Settled take_settled();  // since the last time

 private:
  struct Waiting {
    std::uint64_t record = 0;  // the segment's records up to this one must be on the disk
    Done done;
  };
  [[nodiscard]] bool has_room() const;
  Status create();
  void tell_committed();
  [[nodiscard]] std::uint64_t readers_stamp() const;

  const Home& home_;
  const CallLogOptions& options_;
  segment_format::SegmentKind kind_;
  std::optional<SegmentWriter> segment_;
  std::vector<Waiting> waiting_;
  Clock::time_point made_at_;
  std::int64_t budget_us_ = 0;
  std::uint64_t readers_stamp_ = 0;
  std::int64_t tenants_stamp_ = 0;
  std::uint64_t told_committed_ = 0;
  std::uint64_t told_bytes_ = 0;
  Settled settled_;
};

// Deletes segments that were last written more than `days` ago; how many.
std::size_t drop_old_segments(const Home& home, std::int64_t days);

}  // namespace understudy::store
