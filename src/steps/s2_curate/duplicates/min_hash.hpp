// MinHash signatures (Broder 1997): of two sets the share of equal minima under 128 random
// permutations estimates their Jaccard similarity. Cut into 16 bands of 8, sets of a similarity of
// 0.7 share a band with a chance of 0.61, of 0.8 with 0.95, of 0.9 with 0.9999. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace understudy::s2 {

inline constexpr std::size_t min_hash_permutations = 128;
inline constexpr std::size_t min_hash_bands = 16;

// A hash of each band's minima. At 32 bits some sets meet by chance; the caller compares them.
using MinHashBands = std::array<std::uint32_t, min_hash_bands>;

MinHashBands min_hash_bands_of(std::span<const std::uint32_t> set);

}  // namespace understudy::s2
