#include "steps/s1_capture/pseudonym_cache.hpp"

#include <xxhash.h>

#include <random>

namespace understudy::s1 {

PseudonymCache::PseudonymCache() : seed_(std::random_device{}()) {}

const std::string& PseudonymCache::of(const Pseudonyms& names, std::string_view kind,
                                      std::string_view value) {
  if (value.empty()) return nobody_;
  if (names_ != &names) {
    slots_ = {};
    names_ = &names;
  }
  const std::uint64_t seed = XXH3_64bits_withSeed(kind.data(), kind.size(), seed_);
  const XXH128_hash_t print = XXH3_128bits_withSeed(value.data(), value.size(), seed);
  Slot& slot = slots_[print.low64 % slots];
  if (slot.name.empty() || slot.low != print.low64 || slot.high != print.high64)
    slot = {.low = print.low64, .high = print.high64, .name = names.of(kind, value)};
  return slot.name;
}

}  // namespace understudy::s1
