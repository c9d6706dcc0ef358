#include "steps/s2_curate/duplicates/decontamination.hpp"

#include <algorithm>

namespace understudy::s2 {

namespace {

constexpr std::size_t grams_min = 3;  // fewer say too little

// Answers "seen" for what was added, and by chance for one in two hundred others at nine million.
class BloomFilter {
 public:
  BloomFilter() : bits_(std::size_t{1} << bits_log) {}
  void add(std::uint32_t hash) {
    for (std::uint64_t i = 0; i < probes; ++i) bits_[slot(hash, i)] = true;
  }
  [[nodiscard]] bool contains(std::uint32_t hash) const {
    for (std::uint64_t i = 0; i < probes; ++i) {
      if (!bits_[slot(hash, i)]) return false;
    }
    return true;
  }

 private:
  static constexpr std::uint32_t bits_log = 27;
  static constexpr std::uint64_t probes = 4;
  static std::size_t slot(std::uint32_t hash, std::uint64_t probe) {
    std::uint64_t mixed = (hash + 1ULL) * 0x9e3779b97f4a7c15ULL + probe * 0xc2b2ae3d27d4eb4fULL;
    mixed = (mixed ^ (mixed >> 31U)) * 0xbf58476d1ce4e5b9ULL;
    return static_cast<std::size_t>(mixed >> (64 - bits_log));
  }
  std::vector<bool> bits_;
};

}  // namespace

Result<std::vector<bool>> find_contaminated(const ShingleStore& shingles,
                                            const std::vector<Split>& splits) {
  BloomFilter held_out;
  for (std::size_t call = 0; call < splits.size(); ++call) {
    if (splits[call] == Split::train) continue;
    const Shingles own = TRY(shingles.own_shingles(call));
    for (const std::uint32_t gram : own.thirteens) held_out.add(gram);
  }
  std::vector<bool> contaminated(splits.size());
  for (std::size_t call = 0; call < splits.size(); ++call) {
    if (splits[call] != Split::train) continue;
    const Shingles own = TRY(shingles.own_shingles(call));
    if (own.thirteens.size() < grams_min) continue;
    const auto shared = std::ranges::count_if(
        own.thirteens, [&](std::uint32_t gram) { return held_out.contains(gram); });
    contaminated[call] = static_cast<double>(shared) >=
                         contaminated_share_min * static_cast<double>(own.thirteens.size());
  }
  return contaminated;
}

}  // namespace understudy::s2
