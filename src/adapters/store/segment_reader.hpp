// One segment of the call log, format version 2, record by record. Private to adapters/store; one
// owner, one thread. Stops cleanly at a torn tail (reported), and with `corrupt`, naming file,
// record and byte, at anything else that was changed.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/record_metadata.hpp"
#include "adapters/store/sealed_file.hpp"
#include "adapters/store/segment_format.hpp"
#include "adapters/store/segment_index.hpp"
#include "base/result.hpp"
#include "records/call.hpp"
#include "records/feedback.hpp"

namespace understudy::store {

// Secret keys of one role, present and former. A curator's open the tenants' keys, and so content.
struct SegmentKeys {
  std::filesystem::path keys_dir;
  std::vector<crypto::SecretKey> readers;
  bool open_content = true;  // false: metadata only, also for a curator
};

using LogRecord = std::variant<Call, Feedback, AnchorRecord>;

class SegmentReader {
 public:
  // denied when none of the keys opens it. `keys` must outlive the reader.
  static Result<SegmentReader> open(const std::filesystem::path& path, const SegmentKeys& keys);
  ~SegmentReader();
  SegmentReader(SegmentReader&&) noexcept;
  SegmentReader& operator=(SegmentReader&&) noexcept;

  // The next record, or an empty optional at the end.
  Result<std::optional<LogRecord>> next();
  void index_into(SegmentIndex& index);         // from now on; it must outlive the reader
  [[nodiscard]] std::uint64_t records() const;  // read so far, of all kinds

  // One call with its content, at a place that an earlier reader of the same file has indexed;
  // every byte that it is made of is authenticated as by next(). Not after next(). Nothing where
  // the segment does not say which call brought the parts that this one names: earlier writers did
  // not.
  Result<std::optional<Call>> open_call(const SegmentIndex& index, std::uint64_t record);
  [[nodiscard]] Tail tail() const;  // valid at the end
  [[nodiscard]] const segment_format::Header& header() const;
  // Tenants that were introduced so far, and what is wrong with the keys of those that stay closed.
  [[nodiscard]] const std::vector<std::string>& tenants() const;
  [[nodiscard]] const std::vector<std::string>& warnings() const;

 private:
  struct State;
  explicit SegmentReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The header of a segment, without any key.
Result<segment_format::Header> read_segment_header(const std::filesystem::path& path);

}  // namespace understudy::store
