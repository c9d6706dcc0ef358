#include "adapters/crypto/access_secret.hpp"

#include <sodium.h>

#include "base/check.hpp"

namespace understudy::crypto {

namespace {

constexpr std::size_t random_bytes = 32;
constexpr int encoding = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
static_assert(sodium_base64_ENCODED_LEN(random_bytes, encoding) == 43 + 1);
static_assert(std::tuple_size_v<SecretHash> >= crypto_generichash_BYTES_MIN);

}  // namespace

AccessSecret make_access_secret(std::string_view prefix) {
  CHECK(sodium_init() >= 0, "libsodium found no source of randomness");
  unsigned char random[random_bytes];
  randombytes_buf(random, sizeof random);
  char encoded[sodium_base64_ENCODED_LEN(random_bytes, encoding)];
  sodium_bin2base64(encoded, sizeof encoded, random, sizeof random, encoding);
  std::string text = std::string(prefix) + encoded;
  AccessSecret secret{
      .text = {}, .hash = hash_access_secret(text), .hint = text.substr(text.size() - 4)};
  secret.text = SecretText(std::move(text));
  sodium_memzero(random, sizeof random);
  sodium_memzero(encoded, sizeof encoded);
  return secret;
}

SecretHash hash_access_secret(std::string_view secret) {
  SecretHash hash;
  crypto_generichash(hash.data(), hash.size(),
                     reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), nullptr,
                     0);
  return hash;
}

bool same_hash(const SecretHash& left, const SecretHash& right) {
  return sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace understudy::crypto
