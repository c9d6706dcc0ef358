// One key in one text file: a first line that names what it is, then its bytes as hex. A secret one
// may be encrypted with a passphrase (Argon2id, XChaCha20-Poly1305); its first line says so.
// Private to adapters/crypto. Secret files have mode 0600 and are refused when others can read
// them.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::crypto {

enum class KeySecrecy { open, secret };

struct KeyFile {
  std::string_view label;  // "understudy secret key: curator (X25519)"
  KeySecrecy secrecy = KeySecrecy::secret;
  std::size_t bytes = 32;
  std::string_view passphrase_of = {};  // whose passphrase may protect it: "curator"
};

// Never overwrites: conflict, naming the file.
Status write_key_file(const std::filesystem::path& path, const KeyFile& kind,
                      const SecretText& bytes);
// Old content or new, never half.
Status replace_key_file(const std::filesystem::path& path, const KeyFile& kind,
                        const SecretText& bytes);
Status replace_protected_key_file(const std::filesystem::path& path, const KeyFile& kind,
                                  const SecretText& bytes, const SecretText& passphrase);

// not_found with a hint, denied when a secret file is open to others or the passphrase is wrong,
// corrupt when it is not such a key. Asks for the passphrase where the file wants one.
Result<SecretText> read_key_file(const std::filesystem::path& path, const KeyFile& kind);
Result<SecretText> read_protected_key_file(const std::filesystem::path& path, const KeyFile& kind,
                                           const SecretText& passphrase);
bool is_protected(const std::filesystem::path& path);

}  // namespace understudy::crypto
