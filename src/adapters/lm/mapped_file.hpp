// A file's bytes in memory, read only, for as long as this lives: pages come from the disk when
// they are looked at. Owns the mapping, not what views it; moving it does not move the bytes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace understudy::lm {

class MappedFile {
 public:
  // not_found, denied; corrupt: empty, or no regular file. All name the path.
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(bytes_), size_};
  }
  [[nodiscard]] std::string_view text() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  void* bytes_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace understudy::lm
