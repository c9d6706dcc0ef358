// No target makes a path that leaves its place, or a value that could break a header.
#include <cstddef>
#include <cstdint>

#include "console/web/request_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = understudy::console::parse_target(
      std::string_view(reinterpret_cast<const char*>(data), size));
  if (!parsed) return 0;
  for (const std::string& segment : parsed->path) {
    if (segment.empty() || segment == ".." || segment == "." ||
        segment.find_first_of("/\\\r\n") != std::string::npos)
      __builtin_trap();
  }
  for (const auto& [name, value] : parsed->query)
    if ((name + value).find_first_of("\r\n") != std::string::npos) __builtin_trap();
  return 0;
}
