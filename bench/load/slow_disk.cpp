// Preloaded into a gateway, makes its log disk slow: each write and each sync of a regular file
// takes UNDERSTUDY_SLOW_DISK_MS longer. Sockets, pipes and terminals are left alone. Thread-safe.
#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace {

void wait_like_a_slow_disk(int file) {
  static const char* const text = std::getenv("UNDERSTUDY_SLOW_DISK_MS");
  struct stat facts{};
  if (text == nullptr || ::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) return;
  std::this_thread::sleep_for(std::chrono::milliseconds(std::atol(text)));
}

// The C library's own function behind ours.
template <typename Function>
Function* next(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
  static auto* const real = next(&write, "write");
  wait_like_a_slow_disk(file);
  return real(file, bytes, size);
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  static auto* const real = next(&pwrite, "pwrite");
  wait_like_a_slow_disk(file);
  return real(file, bytes, size, at);
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
  static auto* const real = next(&pwrite64, "pwrite64");
  wait_like_a_slow_disk(file);
  return real(file, bytes, size, at);
}

ssize_t writev(int file, const struct iovec* parts, int count) {
  static auto* const real = next(&writev, "writev");
  wait_like_a_slow_disk(file);
  return real(file, parts, count);
}

int fdatasync(int file) {
  static auto* const real = next(&fdatasync, "fdatasync");
  wait_like_a_slow_disk(file);
  return real(file);
}

int fsync(int file) {
  static auto* const real = next(&fsync, "fsync");
  wait_like_a_slow_disk(file);
  return real(file);
}

}  // extern "C"
