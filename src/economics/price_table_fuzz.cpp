#include <cstddef>
#include <cstdint>

#include "economics/price_table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto table = understudy::economics::PriceTable::parse(text, "fuzz"))
    (void)table->find("gpt-4o-2024-08-06");
  return 0;
}
