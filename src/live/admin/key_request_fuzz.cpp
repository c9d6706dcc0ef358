#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "live/admin/key_request.hpp"

// What is accepted can be written to access.json and read back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy;
  const auto key = live::parse_key_request({reinterpret_cast<const char*>(data), size});
  if (!key) return 0;
  const AccessList list{.version = 1, .keys = {*key}, .tokens = {}};
  if (!access_list_from_json(to_json(list))) std::abort();
  return 0;
}
