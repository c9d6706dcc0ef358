#include "base/installation.hpp"

#include <errno.h>  // program_invocation_name

#include <string>

namespace understudy {

std::filesystem::path running_program() {
  std::error_code error;
  std::filesystem::path running = std::filesystem::read_symlink("/proc/self/exe", error);
  if (running.filename().string().starts_with("ld-linux")) return program_invocation_name;
  return running;
}

std::filesystem::path program_directory() { return running_program().parent_path(); }

std::filesystem::path find_program(std::string_view name) {
  const std::filesystem::path beside = program_directory() / name;
  std::error_code error;
  return std::filesystem::exists(beside, error) ? beside : std::filesystem::path(name);
}

std::filesystem::path installed_data(std::string_view path) {
  // BUILD/bin/understudy and BUILD/share; PREFIX/lib/understudy/understudy and PREFIX/share.
  const std::filesystem::path above = program_directory().parent_path();
  std::error_code error;
  const std::filesystem::path built = above / "share/understudy";
  return (std::filesystem::exists(built, error) ? built
                                                : above.parent_path() / "share/understudy") /
         path;
}

}  // namespace understudy
