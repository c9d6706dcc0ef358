#include "adapters/crypto/key_file.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.hpp"

namespace understudy::crypto {

namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::string_view make_keys_hint = "run `understudy keys init` once for this home";

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

}  // namespace

Status write_key_file(const std::filesystem::path& path, const KeyFile& kind,
                      const SecretText& bytes) {
  std::string hex(bytes.reveal().size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(),
                 reinterpret_cast<const unsigned char*>(bytes.reveal().data()),
                 bytes.reveal().size());
  hex.back() = '\n';
  std::string text = std::string(kind.label) + "\n";
  text.reserve(text.size() + hex.size());  // one buffer, so that one wipe leaves no copy behind
  text += hex;
  wipe(hex);
  const SecretText content(std::move(text));
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

Result<SecretText> read_key_file(const std::filesystem::path& path, const KeyFile& kind) {
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
  const SecretText content(TRY(read_file(path)));
  const std::string expected = std::string(kind.label) + "\n";
  std::string bytes(key_bytes, '\0');
  const char* end = nullptr;
  std::size_t decoded = 0;
  const std::string& text = content.reveal();
  const bool whole = text.starts_with(expected) &&
                     sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                    text.data() + expected.size(), text.size() - expected.size(),
                                    nullptr, &decoded, &end) == 0 &&
                     decoded == key_bytes && (*end == '\n' || *end == '\0');
  if (!whole) {
    wipe(bytes);
    return fail(ErrorCode::corrupt, path.string() + " is not an " + std::string(kind.label),
                "put the right file back from your backup");
  }
  return SecretText(std::move(bytes));
}

}  // namespace understudy::crypto
