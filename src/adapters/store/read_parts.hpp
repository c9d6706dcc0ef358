// The parts of one tenant's requests in one segment, in the order in which they were new, for a
// reader that puts later requests together. Those that were asked for last stay in memory
// (8 MiB), the others lie in an encrypted temporary file without a
// name beside the segment, so that a reader's memory does not grow with its log. Private to
// adapters/store; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapters/store/spill_file.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::store {

// What the conversations of a few minutes repeat.
inline constexpr std::size_t part_bytes_in_memory_max = 8 * limits::mebi;

class ReadParts {
 public:
  // Where the temporary file may lie; without a place that takes one, all parts stay in memory.
  explicit ReadParts(std::filesystem::path scratch = {},
                     std::size_t memory_bytes_max = part_bytes_in_memory_max)
      : scratch_(std::move(scratch)), memory_bytes_max_(memory_bytes_max) {}

  // For a reader that opens one call alone: the next new part has this number, and of those before
  // it only the lent ones are there.
  explicit ReadParts(std::uint64_t first) : first_(first) {}

  Status add(std::string_view part);  // corrupt above limits::segment_part_bytes_max and one more
  Status lend(std::uint64_t number, std::string_view part);  // one before `first`; likewise
  [[nodiscard]] std::optional<std::size_t> bytes_of(std::uint64_t number) const;
  // A part that is there; valid until the next call.
  Result<std::string_view> find(std::uint64_t number);
  [[nodiscard]] std::size_t bytes_in_memory() const { return memory_bytes_; }

 private:
  static constexpr std::uint64_t nowhere = UINT64_MAX;
  struct Part {
    std::uint64_t place = nowhere;  // in the file
    std::size_t bytes = 0;
  };
  struct InMemory {
    SecretText text;
    bool used = false;  // since the last look at what may go
  };

  Status count(std::size_t bytes);
  std::string_view keep(std::uint32_t number, SecretText text);
  void make_room();
  bool spill(std::uint32_t number, std::string_view text);

  std::filesystem::path scratch_;
  std::size_t memory_bytes_max_ = part_bytes_in_memory_max;
  std::uint64_t first_ = 0;
  std::map<std::uint64_t, SecretText> lent_;
  std::vector<Part> parts_;  // from `first_` on
  std::size_t bytes_ = 0;
  std::unordered_map<std::uint32_t, InMemory> memory_;
  std::deque<std::uint32_t> order_;  // of those in memory; a used one gets a second chance
  std::size_t memory_bytes_ = 0;
  std::optional<SpillFile> file_;
  std::uint64_t readable_bytes_ = 0;  // of the file: flushed
  bool file_failed_ = false;
};

}  // namespace understudy::store
