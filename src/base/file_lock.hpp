// A lock among processes, by a file of its own or a directory that is there (flock): held while one
// of them reads, edits and replaces something. Ends with its owner, also when that is killed. One
// owner, one thread.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "base/result.hpp"

namespace understudy {

class FileLock {
 public:
  // Waits. unavailable: the lock's file cannot be opened.
  static Result<FileLock> take(const std::filesystem::path& path);
  // Does not wait: nothing while another process holds it.
  static Result<std::optional<FileLock>> try_take(const std::filesystem::path& path);

  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  static Result<FileLock> open(const std::filesystem::path& path);
  int descriptor_;
};

}  // namespace understudy
