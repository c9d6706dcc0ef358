#include "steps/s2_curate/duplicates/min_hash.hpp"

#include <algorithm>
#include <string_view>

#include "adapters/text/hashing.hpp"

namespace understudy::s2 {

namespace {

struct Permutations {
  std::array<std::uint32_t, min_hash_permutations> factors{};  // odd
  std::array<std::uint32_t, min_hash_permutations> shifts{};
};

// Splitmix64: any numbers do, but they must stay the same.
constexpr Permutations make_permutations() {
  Permutations made;
  std::uint64_t state = 0x5eed;
  for (std::size_t i = 0; i < min_hash_permutations; ++i) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    z ^= z >> 31U;
    made.factors[i] = static_cast<std::uint32_t>(z) | 1U;
    made.shifts[i] = static_cast<std::uint32_t>(z >> 32U);
  }
  return made;
}

constexpr Permutations permutations = make_permutations();
constexpr std::size_t rows = min_hash_permutations / min_hash_bands;

}  // namespace

MinHashBands min_hash_bands_of(std::span<const std::uint32_t> set) {
  std::array<std::uint32_t, min_hash_permutations> minima;
  minima.fill(UINT32_MAX);
  for (const std::uint32_t element : set) {
    for (std::size_t i = 0; i < min_hash_permutations; ++i) {
      std::uint32_t value = element * permutations.factors[i] + permutations.shifts[i];
      value ^= value >> 16U;
      value *= permutations.factors[i];
      minima[i] = std::min(minima[i], value);
    }
  }
  MinHashBands bands;
  for (std::size_t band = 0; band < min_hash_bands; ++band) {
    const std::string_view own(reinterpret_cast<const char*>(minima.data() + band * rows),
                               rows * sizeof(std::uint32_t));
    bands[band] = static_cast<std::uint32_t>(text::hash64(own, band));
  }
  return bands;
}

}  // namespace understudy::s2
