#include "steps/s2_curate/duplicates/near_duplicates.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/progress.hpp"
#include "steps/s2_curate/duplicates/groups.hpp"
#include "steps/s2_curate/duplicates/min_hash.hpp"

namespace understudy::s2 {

namespace {

// So many calls that share a 5-gram have it from a template; more where the sketch is so full that
// it counts that much by chance.
constexpr std::uint32_t template_calls_min = 24;
constexpr std::uint64_t sketch_counters = std::uint64_t{1} << 22U;
constexpr std::size_t remembered_sets_max = 256;

// Sets that were read last.
class Sets {
 public:
  explicit Sets(const ShingleStore& shingles) : shingles_(shingles) {}
  Result<const std::vector<std::uint32_t>*> of(std::uint32_t call) {
    if (const auto known = sets_.find(call); known != sets_.end()) return &known->second;
    if (sets_.size() >= remembered_sets_max) sets_.clear();
    Shingles own = TRY(shingles_.own_shingles(call));
    return &sets_.insert_or_assign(call, std::move(own.fives)).first->second;
  }

 private:
  const ShingleStore& shingles_;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> sets_;
};

struct Banded {
  std::uint32_t hash = 0;
  std::uint32_t call = 0;
};

// Calls of one hash are compared with the first of them.
Status join_band(std::vector<Banded>& band, const ShingleStore& shingles, Groups& groups) {
  std::ranges::sort(band, [](const Banded& a, const Banded& b) {
    return std::pair(a.hash, a.call) < std::pair(b.hash, b.call);
  });
  Sets sets(shingles);
  for (std::size_t i = 1, first = 0; i < band.size(); ++i) {
    if (band[i].hash != band[first].hash) {
      first = i;
      continue;
    }
    if (groups.root_of(band[i].call) == groups.root_of(band[first].call)) continue;
    const std::vector<std::uint32_t> representative = *TRY(sets.of(band[first].call));
    const auto* other = TRY(sets.of(band[i].call));
    if (jaccard(representative, *other) >= near_duplicate_similarity_min)
      groups.join(band[first].call, band[i].call);
  }
  return {};
}

}  // namespace

Result<ShingleStore> ShingleStore::create(const std::filesystem::path& directory) {
  return ShingleStore(TRY(store::SpillFile::create(directory)));
}

Status ShingleStore::add(const Shingles& shingles) {
  places_.push_back(TRY(spill_.append(encode(shingles))));
  for (const std::uint32_t shingle : shingles.fives) frequencies_.add(shingle);
  for (const std::uint32_t shingle : shingles.thirteens) frequencies_.add(~shingle);
  added_ += shingles.fives.size() + shingles.thirteens.size();
  return {};
}

Result<Shingles> ShingleStore::own_shingles(std::size_t call) const {
  Shingles shingles = TRY(decode_shingles(TRY(spill_.read(places_[call])).reveal()));
  const auto limit = template_calls_min + static_cast<std::uint32_t>(4 * added_ / sketch_counters);
  std::erase_if(shingles.fives, [&](auto hash) { return frequencies_.count(hash) >= limit; });
  std::erase_if(shingles.thirteens, [&](auto hash) { return frequencies_.count(~hash) >= limit; });
  return shingles;
}

Result<std::vector<std::uint32_t>> near_duplicate_components(const ShingleStore& shingles) {
  const std::size_t count = shingles.size();
  Groups groups(count);
  std::vector<std::uint32_t> bands(count * min_hash_bands);  // 64 bytes a call
  std::unordered_map<std::uint64_t, std::uint32_t> by_text;
  Progress progress("curate: looking for near-duplicates", count, "calls");
  for (std::uint32_t call = 0; call < count; ++call) {
    const Shingles own = TRY(shingles.own_shingles(call));
    const auto [first, is_new] = by_text.try_emplace(own.text_hash, call);
    if (!is_new) groups.join(first->second, call);
    if (!own.fives.empty()) {
      const MinHashBands own_bands = min_hash_bands_of(own.fives);
      std::ranges::copy(own_bands,
                        bands.begin() + static_cast<std::ptrdiff_t>(call * min_hash_bands));
    }
    progress.advance();
  }
  std::vector<Banded> band;
  for (std::size_t i = 0; i < min_hash_bands; ++i) {
    band.clear();
    for (std::uint32_t call = 0; call < count; ++call) {
      const std::uint32_t hash = bands[call * min_hash_bands + i];
      if (hash != 0) band.push_back({.hash = hash, .call = call});
    }
    TRY(join_band(band, shingles, groups));
  }
  std::vector<std::uint32_t> components(count);
  for (std::uint32_t call = 0; call < count; ++call) components[call] = groups.root_of(call);
  return components;
}

}  // namespace understudy::s2
