// One segment of the call log while it is written: encodes, encrypts and buffers calls, each behind
// the one before. Private to adapters/store; one owner, one thread. After a failed write() or
// commit() nothing is written behind what the disk took; the owner makes another segment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/call.hpp"
#include "records/feedback.hpp"

namespace understudy::store {

class SegmentWriter {
 public:
  static Result<SegmentWriter> create(const Home& home);
  ~SegmentWriter();
  SegmentWriter(SegmentWriter&&) noexcept;
  SegmentWriter& operator=(SegmentWriter&&) noexcept;

  // exhausted: this one is too large; the segment stays usable.
  Status append(const Call& call);
  Status write();   // hands what is buffered to the system
  Status commit();  // write(), then one fdatasync
  Status close();   // end mark, commit
  void discard();   // removes a segment that holds no record

  [[nodiscard]] std::uint64_t bytes() const;  // of the file, buffered ones included
  [[nodiscard]] std::uint64_t buffered_bytes() const;
  [[nodiscard]] std::uint64_t appended() const;   // calls
  [[nodiscard]] std::uint64_t committed() const;  // calls on the disk; also after a failure
  [[nodiscard]] bool is_full() const;             // by limits::segment_part_bytes_max

 private:
  struct State;
  explicit SegmentWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::store
