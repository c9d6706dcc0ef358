// The ciphers of the call log's segments, version 2: authenticated encryption under a key that one
// segment has for itself, and keyed content addresses. AEGIS-256 (draft-irtf-cfrg-aegis-aead) where
// the CPU has AES instructions: 2 KiB take about 0.3 us, a fifth of AES-256-GCM or
// XChaCha20-Poly1305 here. XChaCha20-Poly1305 elsewhere. libsodium has both in software too, so
// every machine reads every segment. Thread-safe once made; keys are wiped on destruction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::crypto {

enum class CipherKind : std::uint8_t { xchacha20_poly1305 = 1, aegis256 = 2 };

CipherKind preferred_cipher();  // the faster one on this machine
std::optional<CipherKind> parse_cipher(std::uint8_t stored);
std::string_view to_string(CipherKind kind);
std::size_t tag_bytes(CipherKind kind);  // a ciphertext is longer by this; it ends with its tag

// Which text of a segment a nonce belongs to. Unique under one key: a writer counts its records,
// its key is its own, and `salt` comes fresh from the kernel for each group, so that a virtual
// machine that is set back to a snapshot does not use one twice either.
struct SegmentNonce {
  std::uint64_t index = 0;
  std::uint64_t salt = 0;
  std::uint8_t part = 0;
};

class SegmentCipher {
 public:
  SegmentCipher(CipherKind kind, SecretText key);  // 32 bytes

  // Appends the ciphertext with its tag to `out`, which must not overlap the other two.
  void encrypt(std::string_view plain, const SegmentNonce& nonce, std::string_view bound_to,
               std::string& out) const;
  // corrupt when the bytes, the nonce or what it is bound to are not those of encrypt().
  [[nodiscard]] Result<SecretText> decrypt(std::string_view ciphertext, const SegmentNonce& nonce,
                                           std::string_view bound_to) const;
  [[nodiscard]] CipherKind kind() const { return kind_; }

 private:
  CipherKind kind_;
  SecretText key_;
};

// Equal texts have equal addresses under one random key; without the key nobody can tell which text
// has which, nor make two with the same (a MAC, not a checksum: texts come from outside).
class ContentAddresser {
 public:
  using Address = std::array<std::uint8_t, 16>;
  ContentAddresser();  // a fresh random key
  [[nodiscard]] Address of(std::string_view text) const;

 private:
  CipherKind kind_;
  SecretText key_;
};

std::uint64_t random_salt();  // from the kernel

}  // namespace understudy::crypto
