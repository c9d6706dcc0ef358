#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "adapters/store/spend.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::store;
  auto spend = parse_spend({reinterpret_cast<const char*>(data), size});
  if (!spend) return 0;
  for (auto& [name, one] : *spend) {
    one.roll({1'790'000'000'000'000});
    if (one.day < 0 || one.month < 0 || one.total < 0) std::abort();
  }
  return 0;
}
