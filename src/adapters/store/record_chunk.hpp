// Records on their way to the log's writer, copied one behind the other into one block of memory.
// A record that travelled as a Call would be some thirty strings, allocated on one thread and freed
// on another, which is the slowest way through any allocator and leaves every one of them cold.
// Only large content is taken over instead of copied. Wiped when it is emptied. Private to
// adapters/store; not thread-safe, its inlet's lock is around add().
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "adapters/store/record_view.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::store {

class RecordChunk {
 public:
  using Done = std::function<void(Status)>;

  // Content that is too large to be copied under a lock.
  struct OwnedContent {
    SecretText request;
    SecretText response;
  };

  explicit RecordChunk(std::size_t bytes = limits::log_chunk_bytes)
      : text_(new char[bytes]), bytes_(bytes) {}
  ~RecordChunk() { clear(); }
  RecordChunk(const RecordChunk&) = delete;
  RecordChunk& operator=(const RecordChunk&) = delete;

  // What the record takes of a chunk; with `is_owned` its content takes nothing.
  static std::size_t bytes_of(const RecordView& record, bool is_owned);
  [[nodiscard]] bool has_room(std::size_t bytes) const { return bytes_ - used_ >= bytes; }
  // A record that has_room() for. `owned` (or null) is where the view's content is.
  void add(const RecordView& record, std::unique_ptr<OwnedContent> owned, Done done);

  struct Entry {
    RecordView record;  // names the chunk's memory, or what `owned` holds
    std::unique_ptr<OwnedContent> owned;
    Done done;
  };
  [[nodiscard]] std::vector<Entry>& entries() { return entries_; }
  [[nodiscard]] bool is_usual() const { return bytes_ == limits::log_chunk_bytes; }
  void clear();  // wipes

 private:
  std::string_view copy(std::string_view text);
  void fetch_ahead() const;

  std::unique_ptr<char[]> text_;
  std::size_t bytes_;
  std::size_t used_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace understudy::store
