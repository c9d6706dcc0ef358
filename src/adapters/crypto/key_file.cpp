#include "adapters/crypto/key_file.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "adapters/crypto/passphrase.hpp"
#include "adapters/crypto/record_cipher.hpp"
#include "base/files.hpp"

namespace understudy::crypto {

namespace {

constexpr std::string_view make_keys_hint = "run `understudy keys init` once for this home";
constexpr std::string_view backup_hint = "put the right file back from your backup";
constexpr std::string_view protected_mark = ", encrypted with a passphrase (Argon2id)";

// About half a second and 256 MiB for each guess (libsodium's "moderate").
constexpr unsigned long long argon2_passes = crypto_pwhash_OPSLIMIT_MODERATE;
constexpr std::size_t argon2_bytes = crypto_pwhash_MEMLIMIT_MODERATE;
constexpr std::size_t protected_overhead = crypto_pwhash_SALTBYTES + nonce_bytes + cipher_tag_bytes;

std::unexpected<Error> fail_errno(const std::filesystem::path& path, std::string_view verb) {
  const int code = errno;
  const std::string message = std::string(verb) + " " + path.string() + ": " + std::strerror(code);
  if (code == EEXIST) {
    return fail(ErrorCode::conflict, path.string() + " exists already",
                "keys are never overwritten; use another --home, or move the old keys away");
  }
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
    return fail(ErrorCode::exhausted, message, "free some space on that disk and try again");
  }
  if (code == EACCES || code == EPERM || code == EROFS) return fail(ErrorCode::denied, message);
  return fail(ErrorCode::unavailable, message);
}

bool write_and_sync(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

Status sync_directory_of(const std::filesystem::path& path) {
  const int directory = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = directory >= 0 && ::fsync(directory) == 0;
  const auto failure = fail_errno(path.parent_path(), "cannot sync");
  if (directory >= 0) ::close(directory);
  if (!synced) return failure;
  return {};
}

SecretText to_text(std::string_view label, std::string_view bytes) {
  std::string text;
  text.reserve(label.size() + 2 * bytes.size() + 3);  // one buffer: one wipe leaves no copy behind
  text += label;
  text += '\n';
  const std::size_t start = text.size();
  text.resize(start + 2 * bytes.size() + 1);
  sodium_bin2hex(text.data() + start, text.size() - start,
                 reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  text.back() = '\n';
  return SecretText(std::move(text));
}

// The bytes behind the label, where there are exactly `count`.
Result<SecretText> parse_text(const std::filesystem::path& path, std::string_view text,
                              std::string_view label, std::size_t count) {
  const std::string expected = std::string(label) + "\n";
  std::string bytes(count, '\0');
  const char* end = nullptr;
  std::size_t decoded = 0;
  const bool whole = text.starts_with(expected) &&
                     sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                    text.data() + expected.size(), text.size() - expected.size(),
                                    nullptr, &decoded, &end) == 0 &&
                     decoded == count && (end == text.data() + text.size() || *end == '\n');
  SecretText kept(std::move(bytes));
  if (whole) return kept;
  return fail(ErrorCode::corrupt, path.string() + " is not an " + std::string(label),
              std::string(backup_hint));
}

Result<SecretText> read_text(const std::filesystem::path& path, const KeyFile& kind) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return fail_errno(path, "cannot read");
    return fail(ErrorCode::not_found, "there is no key " + path.string(),
                std::string(make_keys_hint));
  }
  if (kind.secrecy == KeySecrecy::secret && (status.st_mode & 077) != 0) {
    return fail(ErrorCode::denied, path.string() + " can be read or written by other users",
                "run `chmod 600 " + path.string() + "`; if others had access, make new keys");
  }
  return SecretText(TRY(read_file(path)));
}

Result<SecretText> key_of_passphrase(const SecretText& passphrase, std::string_view salt) {
  std::string key(data_key_bytes, '\0');
  if (crypto_pwhash(reinterpret_cast<unsigned char*>(key.data()), key.size(),
                    passphrase.reveal().data(), passphrase.reveal().size(),
                    reinterpret_cast<const unsigned char*>(salt.data()), argon2_passes,
                    argon2_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(ErrorCode::exhausted, "a passphrase takes 256 MiB of memory to check",
                "free some memory and try again");
  }
  return SecretText(std::move(key));
}

std::string protected_label(const KeyFile& kind) {
  return std::string(kind.label) + std::string(protected_mark);
}

Status replace(const std::filesystem::path& path, const KeyFile& kind, const SecretText& text) {
  TRY(write_file_atomically(
      path, text.reveal(),
      kind.secrecy == KeySecrecy::secret ? FileMode::owner_only : FileMode::world_readable));
  return sync_directory_of(path);
}

}  // namespace

Status write_key_file(const std::filesystem::path& path, const KeyFile& kind,
                      const SecretText& bytes) {
  const SecretText content = to_text(kind.label, bytes.reveal());
  const mode_t mode = kind.secrecy == KeySecrecy::secret ? 0600 : 0644;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return fail_errno(path, "cannot create");
  if (!write_and_sync(descriptor, content.reveal())) {
    const auto failure = fail_errno(path, "cannot write");
    ::close(descriptor);
    ::unlink(path.c_str());
    return failure;
  }
  ::close(descriptor);
  return {};
}

Status replace_key_file(const std::filesystem::path& path, const KeyFile& kind,
                        const SecretText& bytes) {
  return replace(path, kind, to_text(kind.label, bytes.reveal()));
}

Status replace_protected_key_file(const std::filesystem::path& path, const KeyFile& kind,
                                  const SecretText& bytes, const SecretText& passphrase) {
  const std::string salt = random_bytes(crypto_pwhash_SALTBYTES);
  const std::string nonce = random_bytes(nonce_bytes);
  const RecordCipher cipher(TRY(key_of_passphrase(passphrase, salt)));
  const std::string label = protected_label(kind);
  return replace(path, kind,
                 to_text(label, salt + nonce + cipher.encrypt(bytes.reveal(), nonce, label)));
}

Result<SecretText> read_protected_key_file(const std::filesystem::path& path, const KeyFile& kind,
                                           const SecretText& passphrase) {
  const std::string label = protected_label(kind);
  const SecretText content = TRY(read_text(path, kind));
  const SecretText stored =
      TRY(parse_text(path, content.reveal(), label, kind.bytes + protected_overhead));
  const std::string_view bytes = stored.reveal();
  const RecordCipher cipher(
      TRY(key_of_passphrase(passphrase, bytes.substr(0, crypto_pwhash_SALTBYTES))));
  auto key = cipher.decrypt(bytes.substr(crypto_pwhash_SALTBYTES + nonce_bytes),
                            bytes.substr(crypto_pwhash_SALTBYTES, nonce_bytes), label);
  if (key) return key;
  return fail(ErrorCode::denied, "the passphrase does not open " + path.string());
}

Result<SecretText> read_key_file(const std::filesystem::path& path, const KeyFile& kind) {
  const SecretText content = TRY(read_text(path, kind));
  if (!kind.passphrase_of.empty() && content.reveal().starts_with(protected_label(kind) + "\n")) {
    return read_protected_key_file(path, kind, TRY(ask_passphrase(kind.passphrase_of)));
  }
  return parse_text(path, content.reveal(), kind.label, kind.bytes);
}

bool is_protected(const std::filesystem::path& path) {
  const auto text = read_file(path);
  return text && text->find(protected_mark) != std::string::npos;
}

}  // namespace understudy::crypto
