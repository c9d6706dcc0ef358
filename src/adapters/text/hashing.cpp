#include "adapters/text/hashing.hpp"

#include <xxhash.h>

#include <format>

namespace understudy::text {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::string hash_hex(std::string_view bytes) { return std::format("{:016x}", hash64(bytes)); }

}  // namespace understudy::text
