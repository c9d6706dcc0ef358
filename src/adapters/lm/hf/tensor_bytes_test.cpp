#include "adapters/lm/hf/tensor_bytes.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace understudy::lm {
namespace {

std::string bytes_of(const std::vector<std::uint16_t>& words) {
  std::string bytes(words.size() * sizeof(words[0]), '\0');
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

TEST(ConvertedTensor, RowsAreMultipliedAndKeepTheirType) {
  const std::string file = "!" + bytes_of({0x3F80, 0x4000, 0x4040, 0x3F00, 0x3F80, 0xBF80});
  const SafetensorsEntry entry{
      .type = "BF16", .shape = {3, 2}, .bytes = std::string_view(file).substr(1)};  // not aligned
  const TensorRule rule{.hf = "a",
                        .gguf = "b",
                        .rows = 3,
                        .columns = 2,
                        .factors = {{.rows = 1, .factor = 2}, {.rows = 2, .factor = -0.5}}};
  const auto made = converted(rule, entry);
  ASSERT_TRUE(made.has_value()) << made.error().to_text();
  EXPECT_EQ(made->what.type, StoredAs::bf16);
  const auto bytes = made->bytes();
  const std::string wanted = bytes_of({0x4000, 0x4080, 0xBFC0, 0xBE80, 0xBF00, 0x3F00});
  ASSERT_EQ(bytes.size(), wanted.size());
  EXPECT_EQ(std::memcmp(bytes.data(), wanted.data(), wanted.size()), 0);
}

}  // namespace
}  // namespace understudy::lm
