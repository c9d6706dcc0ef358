#include "adapters/store/home.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "adapters/store/output_file.hpp"

namespace understudy::store {

namespace {

Status make_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return fail_errno("cannot create", path);
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  return fail(ErrorCode::invalid_input, path.string() + " is not a directory",
              "give another directory with --home");
}

}  // namespace

Result<Home> Home::open(const std::filesystem::path& directory) {
  std::error_code error;
  const Home home(std::filesystem::absolute(directory, error));
  // Parents get the usual mode; only what is ours is private.
  std::filesystem::create_directories(home.directory_.parent_path(), error);
  TRY(make_directory(home.directory_));
  for (const auto& path : {home.keys(), home.log(), home.audit(), home.datasets(), home.artifacts(),
                           home.policy(), home.watch(), home.reports()}) {
    TRY(make_directory(path));
  }
  return home;
}

}  // namespace understudy::store
