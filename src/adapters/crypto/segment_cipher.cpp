#include "adapters/crypto/segment_cipher.hpp"

#include <sodium.h>
#include <sys/random.h>

#include <cstring>

#include "adapters/crypto/record_cipher.hpp"
#include "base/check.hpp"

namespace understudy::crypto {

namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t address_key_bytes = 16;
// Both ciphers' nonces begin with the same 17 bytes; the rest is zero.
using NonceBytes = std::array<unsigned char, crypto_aead_aegis256_NPUBBYTES>;

static_assert(crypto_aead_aegis256_KEYBYTES == key_bytes);
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == key_bytes);
static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES <= crypto_aead_aegis256_NPUBBYTES);
static_assert(crypto_aead_aegis128l_KEYBYTES == address_key_bytes);
static_assert(crypto_aead_aegis128l_ABYTES >= std::tuple_size_v<ContentAddresser::Address>);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

NonceBytes to_bytes(const SegmentNonce& nonce) {
  NonceBytes bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<unsigned char>(nonce.index >> (8 * i));
    bytes[8 + i] = static_cast<unsigned char>(nonce.salt >> (8 * i));
  }
  bytes[16] = nonce.part;
  return bytes;
}

}  // namespace

CipherKind preferred_cipher() {
  CHECK(sodium_init() >= 0, "libsodium found no source of randomness");
  const bool has_aes = sodium_runtime_has_aesni() != 0 || sodium_runtime_has_armcrypto() != 0;
  return has_aes ? CipherKind::aegis256 : CipherKind::xchacha20_poly1305;
}

std::optional<CipherKind> parse_cipher(std::uint8_t stored) {
  for (const CipherKind kind : {CipherKind::xchacha20_poly1305, CipherKind::aegis256}) {
    if (stored == static_cast<std::uint8_t>(kind)) return kind;
  }
  return std::nullopt;
}

std::string_view to_string(CipherKind kind) {
  return kind == CipherKind::aegis256 ? "AEGIS-256" : "XChaCha20-Poly1305";
}

std::size_t tag_bytes(CipherKind kind) {
  return kind == CipherKind::aegis256 ? crypto_aead_aegis256_ABYTES
                                      : crypto_aead_xchacha20poly1305_ietf_ABYTES;
}

SegmentCipher::SegmentCipher(CipherKind kind, SecretText key) : kind_(kind), key_(std::move(key)) {
  CHECK(sodium_init() >= 0, "libsodium found no source of randomness");
  CHECK(key_.reveal().size() == key_bytes, "a segment's key has 32 bytes");
}

void SegmentCipher::encrypt(std::string_view plain, const SegmentNonce& nonce,
                            std::string_view bound_to, std::string& out) const {
  const NonceBytes number = to_bytes(nonce);
  const std::size_t before = out.size();
  const auto function = kind_ == CipherKind::aegis256 ? crypto_aead_aegis256_encrypt
                                                      : crypto_aead_xchacha20poly1305_ietf_encrypt;
  out.resize_and_overwrite(before + plain.size() + tag_bytes(kind_), [&](char* at,
                                                                         std::size_t size) {
    function(reinterpret_cast<unsigned char*>(at) + before, nullptr, bytes_of(plain), plain.size(),
             bytes_of(bound_to), bound_to.size(), nullptr, number.data(), bytes_of(key_.reveal()));
    return size;
  });
}

Result<SecretText> SegmentCipher::decrypt(std::string_view ciphertext, const SegmentNonce& nonce,
                                          std::string_view bound_to) const {
  if (ciphertext.size() < tag_bytes(kind_)) {
    return fail(ErrorCode::corrupt, "a ciphertext is shorter than its tag");
  }
  const NonceBytes number = to_bytes(nonce);
  std::string plain(ciphertext.size() - tag_bytes(kind_), '\0');
  const auto function = kind_ == CipherKind::aegis256 ? crypto_aead_aegis256_decrypt
                                                      : crypto_aead_xchacha20poly1305_ietf_decrypt;
  const int outcome = function(reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr,
                               bytes_of(ciphertext), ciphertext.size(), bytes_of(bound_to),
                               bound_to.size(), number.data(), bytes_of(key_.reveal()));
  if (outcome != 0) return fail(ErrorCode::corrupt, "the authentication tag does not match");
  return SecretText(std::move(plain));
}

ContentAddresser::ContentAddresser()
    : kind_(preferred_cipher()), key_(random_bytes(address_key_bytes)) {}

ContentAddresser::Address ContentAddresser::of(std::string_view text) const {
  Address address{};
  const unsigned char* key = bytes_of(key_.reveal());
  if (kind_ == CipherKind::aegis256) {
    // The tag over associated data alone is a MAC (section "AEGISMAC" of the draft): the key is
    // used for nothing else, so one nonce serves all texts.
    constexpr std::array<unsigned char, crypto_aead_aegis128l_NPUBBYTES> nonce{};
    std::array<unsigned char, crypto_aead_aegis128l_ABYTES> tag{};
    crypto_aead_aegis128l_encrypt(tag.data(), nullptr, nullptr, 0, bytes_of(text), text.size(),
                                  nullptr, nonce.data(), key);
    std::memcpy(address.data(), tag.data(), address.size());
  } else {
    crypto_generichash(address.data(), address.size(), bytes_of(text), text.size(), key,
                       address_key_bytes);
  }
  return address;
}

std::uint64_t random_salt() {
  std::uint64_t salt = 0;
  CHECK(getrandom(&salt, sizeof salt, 0) == static_cast<ssize_t>(sizeof salt),
        "the kernel gives random bytes");
  return salt;
}

}  // namespace understudy::crypto
