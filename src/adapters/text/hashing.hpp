// A fast 64-bit hash of text (XXH3) that stays the same across runs, machines and versions: line
// identities in S3, stable task ids. Not for secrets: anyone can compute it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace understudy::text {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);
std::string hash_hex(std::string_view bytes);  // hash64() as 16 hex digits

}  // namespace understudy::text
