// Authenticated encryption of one record after the other under one random data key
// (XChaCha20-Poly1305), and the hash that chains them (BLAKE2b). Knows no files and no format: the
// caller says what a record is bound to.
// Thread-safe once made; the key is wiped on destruction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::crypto {

inline constexpr std::size_t data_key_bytes = 32;
inline constexpr std::size_t nonce_bytes = 24;
inline constexpr std::size_t cipher_tag_bytes = 16;  // a ciphertext is longer by this
inline constexpr std::size_t mac_bytes = 16;
inline constexpr std::size_t hash_bytes = 32;

std::string random_bytes(std::size_t count);
std::string hash(std::string_view first, std::string_view second = {});  // of both, as one text

class RecordCipher {
 public:
  explicit RecordCipher(SecretText data_key);  // data_key_bytes long

  // `nonce` must never be used twice under one key: random_bytes(nonce_bytes).
  [[nodiscard]] std::string encrypt(std::string_view plain, std::string_view nonce,
                                    std::string_view bound_to) const;
  // corrupt when the bytes, the nonce or what it is bound to are not those of encrypt().
  [[nodiscard]] Result<SecretText> decrypt(std::string_view ciphertext, std::string_view nonce,
                                           std::string_view bound_to) const;
  // mac_bytes over text that stays readable.
  [[nodiscard]] std::string authenticate(std::string_view text) const;

 private:
  SecretText encryption_key_;  // one key per purpose, both derived from the data key
  SecretText authentication_key_;
};

}  // namespace understudy::crypto
