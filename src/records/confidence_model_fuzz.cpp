#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/json.hpp"
#include "records/confidence_model.hpp"

// What is read is written and read as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tree =
      understudy::json::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!tree) return 0;
  const auto model = understudy::confidence_model_from_json(*tree);
  if (!model) return 0;
  const auto again = understudy::confidence_model_from_json(to_json(*model));
  if (!again || *again != *model) __builtin_trap();
  return 0;
}
