// Everything that a detector finds in one text, with places in the text as it is: a text that is
// JSON is walked as a tree. Keeps what it found in long strings and in messages and tools, because
// calls of one conversation repeat them. One thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "steps/s2_curate/detect/detector.hpp"

namespace understudy::s2 {

struct ScanCounts {
  std::uint64_t texts = 0;
  std::uint64_t json_texts = 0;
  std::uint64_t leaves = 0;
  std::uint64_t repeated_leaves = 0;   // found in memory
  std::uint64_t repeated_objects = 0;  // messages and tools, with all of their leaves
};

class TextScanner {
 public:
  // The detector must outlive it. With 0 remembered, repeated strings are searched again.
  explicit TextScanner(const Detector& detector, std::size_t remembered_leaves_max = 65'536)
      : detector_(detector), remembered_max_(remembered_leaves_max) {}

  // In order of their places, which are bytes of `text`.
  std::vector<Entity> scan(std::string_view text);
  [[nodiscard]] const ScanCounts& counts() const { return counts_; }

 private:
  friend class LeafCollector;
  const std::vector<Entity>& look_at(const Leaf& leaf);

  const Detector& detector_;
  std::size_t remembered_max_;
  const std::vector<Entity>* recall(std::uint64_t hash, std::size_t bytes) const;
  void remember(std::uint64_t hash, std::size_t bytes, std::vector<Entity> entities);

  struct Remembered {
    std::size_t bytes = 0;
    std::vector<Entity> entities;
  };
  std::unordered_map<std::uint64_t, Remembered> remembered_;  // by hash of key and text
  std::vector<Entity> last_;
  ScanCounts counts_;
};

}  // namespace understudy::s2
