#include "base/own_library.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "base/installation.hpp"

namespace understudy {

namespace {

std::unexpected<Error> cannot_open(std::string_view file, std::string_view why) {
  return fail(ErrorCode::unsupported, "cannot open " + std::string(file) + ": " + std::string(why),
              "it belongs beside the program " + program_directory().string() +
                  "/understudy-serve; install all files of one version together");
}

std::string last_error() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "unknown reason";
}

}  // namespace

Result<void*> find_in_own_library(std::string_view file, const char* symbol) {
  const std::filesystem::path path = program_directory() / file;
  // Opening it twice gives the same handle. RTLD_LOCAL: its libraries stay its own.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return cannot_open(file, last_error());
  const auto* version = static_cast<const char*>(::dlsym(library, "understudy_library_version"));
  if (version == nullptr || std::string_view(version) != UNDERSTUDY_VERSION) {
    return cannot_open(file, "it is of version " + std::string(version ? version : "?") +
                                 ", the program of " UNDERSTUDY_VERSION);
  }
  void* address = ::dlsym(library, symbol);
  if (address == nullptr) return cannot_open(file, last_error());
  return address;
}

}  // namespace understudy
