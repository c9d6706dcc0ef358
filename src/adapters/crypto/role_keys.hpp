// What happens to the roles' keys after they were made: rotation, passphrases, and a list of what
// is here. A rotated role's former secret key stays in KEYS/archive/, sealed to the role's new key,
// so that what was sealed before still opens, with the new key alone. One process at a time changes
// keys.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adapters/crypto/keys.hpp"
#include "base/result.hpp"

namespace understudy::crypto {

struct Rotation {
  PublicKey before;
  PublicKey after;
  std::size_t tenants_resealed = 0;  // the curator's: tenants' keys that were sealed anew
};

// A new pair for the role; a passphrase stays. Files change one after the other, each whole: a
// crash in between leaves everything readable, and the rotation can be run again. unsupported for
// admin, whose key signs (and seals nothing).
Result<Rotation> rotate_role_keys(const std::filesystem::path& keys_dir, Role role);

// The role's earlier secret keys, newest first, opened with its current one.
Result<std::vector<SecretKey>> former_keys(const std::filesystem::path& keys_dir,
                                           const SecretKey& current);

// Encrypts the role's secret key file with a passphrase (or another one), or takes it away.
Status protect_role_key(const std::filesystem::path& keys_dir, Role role);
Status unprotect_role_key(const std::filesystem::path& keys_dir, Role role);

struct KeyInfo {
  std::string name;         // "curator", "admin (signatures)", "pseudonyms"
  std::string fingerprint;  // of the public key; empty where there is none
  bool has_public = false;
  bool has_secret = false;
  bool is_protected = false;
  std::vector<std::string> former;  // fingerprints of those in the archive, newest first
};
std::vector<KeyInfo> list_keys(const std::filesystem::path& keys_dir);

}  // namespace understudy::crypto
