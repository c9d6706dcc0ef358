// A file that is only written at its end, and whose failures say what to do: a full disk is
// `exhausted`. Private to adapters/store. One owner, one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace understudy::store {

// The error behind errno, naming the path: exhausted, denied, not_found, conflict or unavailable.
std::unexpected<Error> fail_errno(std::string_view what, const std::filesystem::path& path);

class OutputFile {
 public:
  static Result<OutputFile> create(const std::filesystem::path& path);  // mode 0600; conflict
  // Under another name until `header` is on the disk: readers never see half of it.
  static Result<OutputFile> create_with_header(const std::filesystem::path& path,
                                               std::string_view header);
  Status rename(const std::filesystem::path& path);  // conflict
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;

  Status write(std::string_view bytes);
  Status sync();  // fdatasync, and the folder's entry the first time
  // Takes what is on the disk out of the page cache, a megabyte or so behind: nobody here reads it
  // again.
  void drop_cached() noexcept;
  void truncate(std::uint64_t bytes) noexcept;  // best effort, after a failed write
  void remove() noexcept;
  [[nodiscard]] std::uint64_t written_bytes() const {
    return written_bytes_;
  }  // also of a failed write
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  OutputFile(std::filesystem::path path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  int descriptor_ = -1;
  bool entry_synced_ = false;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t droppable_bytes_ = 0;  // from the beginning, as dropped_bytes_
  std::uint64_t dropped_bytes_ = 0;
};

}  // namespace understudy::store
