#include "base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace understudy {

namespace {

std::unexpected<Error> fail_errno(const std::filesystem::path& path, std::string_view verb) {
  const int code = errno;
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return fail(full ? ErrorCode::exhausted : ErrorCode::unavailable,
              std::string(verb) + " " + path.string() + ": " + std::strerror(code),
              full ? "free some space on that disk and run the command again" : "");
}

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) {
    return fail(ErrorCode::invalid_input, path.string() + " is a directory, not a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(ErrorCode::not_found, "cannot open " + path.string() + ": " + std::strerror(errno));
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

Status write_file_atomically(const std::filesystem::path& path, std::string_view content,
                             FileMode mode) {
  const std::filesystem::path fresh = path.string() + ".new";
  const int bits = mode == FileMode::owner_only ? 0600 : 0644;
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, bits);
  if (descriptor < 0) return fail_errno(fresh, "cannot create");
  const bool written = write_all(descriptor, content) && ::fsync(descriptor) == 0;
  if (!written) {
    const auto failure = fail_errno(fresh, "cannot write");
    ::close(descriptor);
    ::unlink(fresh.c_str());
    return failure;
  }
  ::close(descriptor);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fail_errno(path, "cannot replace");
  return {};
}

}  // namespace understudy
