// Parts of the program that few runs need lie in shared objects of our own beside it, opened when
// they are first needed: small models (libllama, ICU, libcurl), the exporter of spans (protobuf).
// Linked in, they would cost every gateway 15 MiB and 30 ms at start. Only files in the program's
// own folder are opened, and only of the program's own version. Never
// closed. Thread-safe.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace understudy {

// The address of `symbol` in the shared object `file`, a name such as "understudy-models.so".
// unsupported: the file is missing, broken, or of another version.
Result<void*> find_in_own_library(std::string_view file, const char* symbol);

// The same as a function. What it takes and gives may be C++ types: both sides are built together.
template <class Function>
Result<Function*> function_of_own_library(std::string_view file, const char* symbol) {
  void* address = TRY(find_in_own_library(file, symbol));
  return reinterpret_cast<Function*>(address);
}

}  // namespace understudy

// Each such shared object has this once, at namespace scope.
#define UNDERSTUDY_OWN_LIBRARY                                                        \
  extern "C" [[gnu::visibility("default")]] const char understudy_library_version[] = \
      UNDERSTUDY_VERSION
