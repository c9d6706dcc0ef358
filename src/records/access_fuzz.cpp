#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "records/access.hpp"

// access.json: what is accepted keeps its meaning when it is written again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy;
  const auto tree = json::parse({reinterpret_cast<const char*>(data), size});
  if (!tree) return 0;
  const auto list = access_list_from_json(*tree);
  if (!list) return 0;
  const std::string once = json::to_canonical(to_json(*list));
  const auto again = access_list_from_json(*json::parse(once));
  if (!again || json::to_canonical(to_json(*again)) != once) std::abort();
  return 0;
}
