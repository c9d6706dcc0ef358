// Keys of the roles (libsodium). A role's key pair seals data to it: X25519 sealed boxes. The admin
// also signs policies: Ed25519. Secret keys live in files of mode 0600; the gateway needs public
// keys only.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::crypto {

enum class Role { curator, trainer, auditor, admin };
inline constexpr std::array all_roles = {Role::curator, Role::trainer, Role::auditor, Role::admin};
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);

inline constexpr std::size_t fingerprint_bytes = 8;

struct PublicKey {
  std::string name;  // "curator"
  std::array<std::uint8_t, 32> bytes{};
  [[nodiscard]] std::string fingerprint() const;      // 16 hex digits of a BLAKE2b hash
  [[nodiscard]] std::string raw_fingerprint() const;  // the same as 8 bytes
};

struct SecretKey {
  PublicKey public_key;
  SecretText bytes;  // 32 raw bytes
};

// KEYS/curator.pub, KEYS/curator.key, trainer.*, auditor.*, admin.* (sealing) and admin-sign.*
// (signing). Also KEYS/pseudonym.key: 32 random bytes that key the HMAC pseudonyms of origins and
// S2's surrogates. Existing files are never overwritten: conflict, naming the file.
Status init_keys(const std::filesystem::path& keys_dir);

Result<PublicKey> load_public_key(const std::filesystem::path& keys_dir, Role role);
// denied when the file's mode lets others read it or the passphrase is wrong; not_found names
// `understudy keys init`. Asks for the passphrase of a protected key (passphrase.hpp).
Result<SecretKey> load_secret_key(const std::filesystem::path& keys_dir, Role role);
Result<SecretText> load_pseudonym_key(const std::filesystem::path& keys_dir);

std::string seal(std::string_view plain, const PublicKey& reader);
Result<std::string> open_sealed(std::string_view sealed, const SecretKey& reader);

// Detached Ed25519 signature of the admin, as hex.
Result<std::string> sign(const std::filesystem::path& keys_dir, std::string_view message);
Status verify_signature(const std::filesystem::path& keys_dir, std::string_view message,
                        std::string_view signature_hex);

std::string hex(std::string_view bytes);
std::string unhex(std::string_view digits);  // empty for anything else

// BLAKE2b, 16 to 64 bytes; raw, and as hex. hmac_hex is BLAKE2b keyed.
std::string blake2b(std::string_view bytes, std::size_t digest_bytes = 32);
std::string blake2b_hex(std::string_view bytes, std::size_t digest_bytes = 32);
std::string hmac_hex(const SecretText& key, std::string_view message,
                     std::size_t digest_bytes = 32);
// SipHash-2-4: as good as random without the key, 20 ns. `key` is siphash_key_bytes long.
inline constexpr std::size_t siphash_key_bytes = 16;
std::uint64_t siphash(const SecretText& key, std::string_view message);

}  // namespace understudy::crypto
