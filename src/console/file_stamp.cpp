#include "console/file_stamp.hpp"

#include <sys/stat.h>

#include <functional>
#include <system_error>

namespace understudy::console {

namespace fs = std::filesystem;

std::string stamp_of(const fs::path& file) {
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0) return "-";
  return std::to_string(facts.st_size) + "." + std::to_string(facts.st_mtim.tv_sec) + "." +
         std::to_string(facts.st_mtim.tv_nsec);
}

std::string stamp_of_all(const fs::path& directory, const char* inner) {
  std::size_t hash = 0;
  std::size_t count = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const fs::path path = inner == nullptr ? entry.path() : entry.path() / inner;
    // The order of a directory's entries is not fixed: a sum does not depend on it.
    hash += std::hash<std::string>()(entry.path().filename().string() + stamp_of(path));
    ++count;
  }
  return std::to_string(count) + "." + std::to_string(hash);
}

}  // namespace understudy::console
