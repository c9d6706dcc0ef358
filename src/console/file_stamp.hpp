// How files stand on the disk, as short texts that differ after a change. Cheap; no content is
// read.
#pragma once

#include <filesystem>
#include <string>

namespace understudy::console {

// Size and time of change; "-" where there is nothing.
std::string stamp_of(const std::filesystem::path& file);
// Of all files in a directory; `inner`: of that file of each directory in it.
std::string stamp_of_all(const std::filesystem::path& directory, const char* inner = nullptr);

}  // namespace understudy::console
