#include "adapters/crypto/record_cipher.hpp"

#include <sodium.h>

#include "base/check.hpp"

namespace understudy::crypto {

namespace {

static_assert(nonce_bytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(cipher_tag_bytes == crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(data_key_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(data_key_bytes == crypto_kdf_KEYBYTES);
static_assert(mac_bytes >= crypto_generichash_BYTES_MIN);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

SecretText derive(const SecretText& data_key, std::uint64_t purpose) {
  std::string key(data_key_bytes, '\0');
  crypto_kdf_derive_from_key(bytes_of(key), key.size(), purpose, "ussealed",
                             bytes_of(data_key.reveal()));
  return SecretText(std::move(key));
}

}  // namespace

std::string random_bytes(std::size_t count) {
  CHECK(sodium_init() >= 0, "libsodium found no source of randomness");
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

std::string hash(std::string_view first, std::string_view second) {
  std::string digest(hash_bytes, '\0');
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, digest.size());
  crypto_generichash_update(&state, bytes_of(first), first.size());
  crypto_generichash_update(&state, bytes_of(second), second.size());
  crypto_generichash_final(&state, bytes_of(digest), digest.size());
  return digest;
}

RecordCipher::RecordCipher(SecretText data_key) {
  CHECK(sodium_init() >= 0, "libsodium found no source of randomness");
  CHECK(data_key.reveal().size() == data_key_bytes, "a data key has 32 bytes");
  encryption_key_ = derive(data_key, 1);
  authentication_key_ = derive(data_key, 2);
}

std::string RecordCipher::encrypt(std::string_view plain, std::string_view nonce,
                                  std::string_view bound_to) const {
  CHECK(nonce.size() == nonce_bytes, "a nonce has 24 bytes");
  std::string ciphertext(plain.size() + cipher_tag_bytes, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      bytes_of(ciphertext), nullptr, bytes_of(plain), plain.size(), bytes_of(bound_to),
      bound_to.size(), nullptr, bytes_of(nonce), bytes_of(encryption_key_.reveal()));
  return ciphertext;
}

Result<SecretText> RecordCipher::decrypt(std::string_view ciphertext, std::string_view nonce,
                                         std::string_view bound_to) const {
  CHECK(nonce.size() == nonce_bytes, "a nonce has 24 bytes");
  if (ciphertext.size() < cipher_tag_bytes) {
    return fail(ErrorCode::corrupt, "a ciphertext is shorter than its tag");
  }
  std::string plain(ciphertext.size() - cipher_tag_bytes, '\0');
  const int outcome = crypto_aead_xchacha20poly1305_ietf_decrypt(
      bytes_of(plain), nullptr, nullptr, bytes_of(ciphertext), ciphertext.size(),
      bytes_of(bound_to), bound_to.size(), bytes_of(nonce), bytes_of(encryption_key_.reveal()));
  if (outcome != 0) return fail(ErrorCode::corrupt, "the authentication tag does not match");
  return SecretText(std::move(plain));
}

std::string RecordCipher::authenticate(std::string_view text) const {
  std::string mac(mac_bytes, '\0');
  const std::string& key = authentication_key_.reveal();
  crypto_generichash(bytes_of(mac), mac.size(), bytes_of(text), text.size(), bytes_of(key),
                     key.size());
  return mac;
}

}  // namespace understudy::crypto
