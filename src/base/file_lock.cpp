#include "base/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace understudy {

namespace {

std::unexpected<Error> cannot_lock(const std::filesystem::path& path) {
  return fail(ErrorCode::unavailable, "cannot lock " + path.string() + ": " + std::strerror(errno),
              "check that its folder can be written");
}

// Repeats what a signal interrupted.
int lock(int descriptor, int operation) {
  int failed = 0;
  while ((failed = ::flock(descriptor, operation)) != 0 && errno == EINTR) {
  }
  return failed;
}

}  // namespace

Result<FileLock> FileLock::open(const std::filesystem::path& path) {
  std::error_code error;
  const int how = std::filesystem::is_directory(path, error) ? O_RDONLY : O_RDWR | O_CREAT;
  const int descriptor = ::open(path.c_str(), how | O_CLOEXEC, 0600);
  if (descriptor < 0) return cannot_lock(path);
  return FileLock(descriptor);
}

Result<FileLock> FileLock::take(const std::filesystem::path& path) {
  FileLock held = TRY(open(path));
  if (lock(held.descriptor_, LOCK_EX) != 0) return cannot_lock(path);
  return held;
}

Result<std::optional<FileLock>> FileLock::try_take(const std::filesystem::path& path) {
  FileLock held = TRY(open(path));
  if (lock(held.descriptor_, LOCK_EX | LOCK_NB) == 0)
    return std::optional<FileLock>(std::move(held));
  if (errno == EWOULDBLOCK) return std::optional<FileLock>();
  return cannot_lock(path);
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace understudy
