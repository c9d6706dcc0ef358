// Where each call of the log lies, as somebody found it who read the whole of it: with it, one call
// is opened without the ones before it (open_call). Made by read_call_log in the order of its
// visits; holds no key and no content, and is not stored. One owner; open_call only reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/home.hpp"
#include "base/result.hpp"
#include "records/call.hpp"

namespace understudy::store {

class SegmentIndex;

class LogIndex {
 public:
  LogIndex();
  ~LogIndex();
  LogIndex(LogIndex&&) noexcept;
  LogIndex& operator=(LogIndex&&) noexcept;

  [[nodiscard]] std::size_t calls() const { return places_.size(); }

  // By read_call_log.
  SegmentIndex& begin_segment(const std::filesystem::path& path);
  void add_call(std::uint64_t record);

 private:
  friend Result<Call> open_call(const Home& home, const crypto::SecretKey& reader,
                                const LogIndex& index, std::size_t number);
  struct Segment;
  struct Place {
    std::uint32_t segment = 0;
    std::uint32_t record = 0;  // a segment of 256 MiB has a few hundred thousand
  };
  std::vector<std::unique_ptr<Segment>> segments_;
  std::vector<Place> places_;
};

// A call by its number, counted from 0 in the order of the visits; with content where the key opens
// it, without the reward that feedback gave it. Opens its own record and those that brought parts
// of its request. not_found or conflict where the segment is gone or another one.
Result<Call> open_call(const Home& home, const crypto::SecretKey& reader, const LogIndex& index,
                       std::size_t number);

}  // namespace understudy::store
