// A file's bytes up to the size that it had when it was opened: a segment may grow meanwhile.
// Private to adapters/store.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace understudy::store {

class InputFile {
 public:
  static Result<InputFile> open(const std::filesystem::path& path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;

  // Exactly `count` bytes; the caller has compared with size().
  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::size_t count) const;
  // The same without a copy for each: valid until the next view. For those who go through the file.
  [[nodiscard]] Result<std::string_view> view(std::uint64_t offset, std::size_t count);
  // After a power cut a file system may leave zeros where data was to come.
  [[nodiscard]] Result<bool> only_zeros_from(std::uint64_t offset) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  InputFile(std::filesystem::path path, int descriptor);

  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
  std::string window_;  // what view() read last
  std::uint64_t window_at_ = 0;
};

}  // namespace understudy::store
