#include "adapters/crypto/sha256.hpp"

#include <sodium.h>

namespace understudy::crypto {

Sha256 sha256(std::span<const std::uint8_t> bytes) {
  Sha256 hash{};
  crypto_hash_sha256(hash.data(), bytes.data(), bytes.size());
  return hash;
}

}  // namespace understudy::crypto
