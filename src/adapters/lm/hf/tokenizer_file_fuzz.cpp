#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/lm/hf/special_tokens.hpp"
#include "adapters/lm/hf/tokenizer_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::lm;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto file = parse_tokenizer_file(text, "fuzz");
  if (file) (void)read_special_tokens({.tokenizer_config = text, .model_config = text}, *file);
  return 0;
}
