// One segment of the call log while it is written: encodes, encrypts and buffers records, each
// behind the one before. Needs public keys only: the segment's metadata key is sealed to the
// curator and the auditor, each tenant's content key to that tenant (docs/formats/call_log.md).
// Private to adapters/store; one owner, one thread at a time. After a failed write() or commit()
// nothing is written behind what the disk took; the owner makes another segment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "adapters/store/home.hpp"
#include "adapters/store/record_metadata.hpp"
#include "adapters/store/record_view.hpp"
#include "adapters/store/segment_format.hpp"
#include "base/result.hpp"

namespace understudy::store {

class SegmentWriter {
 public:
  // Under home/log/; not_found without the curator's public key.
  static Result<SegmentWriter> create(const Home& home, segment_format::SegmentKind kind);
  ~SegmentWriter();
  SegmentWriter(SegmentWriter&&) noexcept;
  SegmentWriter& operator=(SegmentWriter&&) noexcept;

  // Buffers. An error concerns this record only (exhausted: too large; a tenant's key cannot be
  // made); the segment stays usable.
  Status append(const RecordView& record);
  void append(const AnchorRecord& anchor);
  void begin_group();  // a fresh salt for what follows; whenever time has passed meanwhile
  Status write();      // hands what is buffered to the system
  Status commit();     // write(), then one fdatasync
  Status close();      // end mark, commit
  void discard();      // removes a segment that holds no call

  // Content is compressed as long as this much time is left for it; then it is stored as it is.
  // Without a call there is no limit.
  void set_compression_budget(std::int64_t us);
  [[nodiscard]] std::int64_t compression_budget_us() const;
  // Forgets the content keys of tenants whose public key is gone or another one: they were erased.
  // Their next call gets a key of its own.
  void forget_changed_tenants();

  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] std::uint64_t bytes() const;  // of the file, buffered ones included
  [[nodiscard]] std::uint64_t buffered_bytes() const;
  [[nodiscard]] std::uint64_t appended() const;   // calls or feedback
  [[nodiscard]] std::uint64_t committed() const;  // of these, on the disk; also after a failure
  [[nodiscard]] bool knows(std::string_view tenant) const;  // a pseudonym: its key is at hand
  [[nodiscard]] bool is_full() const;  // by segment_part_bytes_max or segment_tenants_max

 private:
  struct State;
  explicit SegmentWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::store
