// One key in one text file: a first line that names what it is, then its 32 bytes as hex. Private
// to adapters/crypto. Secret files have mode 0600 and are refused when others can read them.
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
};

// `bytes` are 32 raw bytes. Never overwrites: conflict, naming the file.
Status write_key_file(const std::filesystem::path& path, const KeyFile& kind,
                      const SecretText& bytes);
// not_found with a hint, denied when a secret file is open to others, corrupt when it is not such a
// key.
Result<SecretText> read_key_file(const std::filesystem::path& path, const KeyFile& kind);

}  // namespace understudy::crypto
