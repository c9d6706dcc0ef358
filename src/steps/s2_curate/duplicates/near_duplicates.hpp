// Which calls say nearly the same. What very many calls share (the template around their data) is
// left out first, because it would make all calls of one agent alike; MinHash finds candidates, the
// true Jaccard similarity decides. The sets of hashes lie in a spill file, not in memory.
#pragma once

#include <cstdint>
#include <vector>

#include "adapters/store/spill_file.hpp"
#include "base/result.hpp"
#include "steps/s2_curate/duplicates/frequency_sketch.hpp"
#include "steps/s2_curate/duplicates/shingles.hpp"

namespace understudy::s2 {

inline constexpr double near_duplicate_similarity_min = 0.7;

// The shingles of calls, in the order in which they were added.
class ShingleStore {
 public:
  static Result<ShingleStore> create(const std::filesystem::path& directory);
  Status add(const Shingles& shingles);
  Status flush() { return spill_.flush(); }  // before the others
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  // Without what is template; empty where all of it is, and then text_hash tells calls apart.
  [[nodiscard]] Result<Shingles> own_shingles(std::size_t call) const;

 private:
  explicit ShingleStore(store::SpillFile spill) : spill_(std::move(spill)) {}
  store::SpillFile spill_;
  std::vector<std::uint64_t> places_;
  FrequencySketch frequencies_;
  std::uint64_t added_ = 0;
};

// For each call the first one of its component.
Result<std::vector<std::uint32_t>> near_duplicate_components(const ShingleStore& shingles);

}  // namespace understudy::s2
