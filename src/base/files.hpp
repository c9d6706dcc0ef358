// Small files, whole: read, and write so that a reader sees the old content or the new, never half.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace understudy {

enum class FileMode { owner_only, world_readable };  // 0600, 0644

Result<std::string> read_file(const std::filesystem::path& path);
// Writes beside the target, fsyncs, renames. A full disk is ErrorCode::exhausted and leaves the old
// file.
Status write_file_atomically(const std::filesystem::path& path, std::string_view content,
                             FileMode mode = FileMode::world_readable);

}  // namespace understudy
