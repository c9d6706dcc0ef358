#include "adapters/lm/gguf_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "adapters/lm/gguf_builder.hpp"
#include "base/files.hpp"

namespace understudy::lm {
namespace {

class GgufFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-gguf-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    for (int i = 0; i < 2 * 256; ++i) values_.push_back(std::sin(static_cast<float>(i)));
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::filesystem::path write(StoredAs type) const {
    GgufBuilder builder;
    builder.set("general.architecture", "llama");
    builder.set("llama.block_count", std::uint32_t{7});
    builder.set("llama.rope.freq_base", 1e4F);
    builder.add({.name = "m", .rows = 2, .columns = 256, .type = type}, values_);
    const auto path = directory_ / (std::string(to_string(type)) + ".gguf");
    EXPECT_TRUE(builder.write(path).has_value());
    return path;
  }

  std::filesystem::path directory_;
  std::vector<float> values_;
};

TEST_F(GgufFiles, EveryTypeExpandsToWhatWasStored) {
  const std::vector<std::pair<StoredAs, float>> types = {
      {StoredAs::f32, 0.0F},   {StoredAs::f16, 1e-3F},  {StoredAs::bf16, 5e-3F},
      {StoredAs::q8_0, 6e-3F}, {StoredAs::q6_k, 0.04F}, {StoredAs::q5_k, 0.06F},
      {StoredAs::q4_k, 0.12F}, {StoredAs::q4_0, 0.15F}};
  for (const auto& [type, tolerance] : types) {
    const auto file = GgufFile::open(write(type));
    ASSERT_TRUE(file.has_value()) << file.error().to_text();
    const StoredTensor* tensor = file->find("m");
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->rows, 2);
    EXPECT_EQ(tensor->columns, 256);
    const std::vector<float> all = expand(*tensor);
    std::vector<float> second(256);
    expand_rows(*tensor, {.first = 1, .count = 1}, second.data());
    for (std::size_t i = 0; i < all.size(); ++i) {
      ASSERT_NEAR(all[i], values_[i], tolerance) << to_string(type) << ' ' << i;
    }
    EXPECT_TRUE(std::equal(second.begin(), second.end(), all.begin() + 256));
  }
}

TEST_F(GgufFiles, KeysAreReadByKind) {
  const auto file = GgufFile::open(write(StoredAs::f32)).value();
  EXPECT_EQ(file.find_integer("llama.block_count"), 7);
  EXPECT_EQ(file.find_number("llama.rope.freq_base"), 1e4);
  EXPECT_EQ(file.find_string("general.architecture"), "llama");
  EXPECT_FALSE(file.find_integer("general.architecture"));
  EXPECT_FALSE(file.find_string("absent"));
}

TEST_F(GgufFiles, ATruncatedFileIsCorruptAtEveryLength) {
  const std::string whole = read_file(write(StoredAs::f32)).value();
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    const auto file = GgufFile::parse(std::as_bytes(std::span(whole.data(), length)), "cut");
    ASSERT_FALSE(file.has_value()) << length;
    EXPECT_EQ(file.error().code, ErrorCode::corrupt) << length;
  }
}

TEST_F(GgufFiles, AModelInSeveralFilesIsOpenedByItsFirst) {
  const auto path = [&](int number) {
    return directory_ / ("m-0000" + std::to_string(number) + "-of-00002.gguf");
  };
  for (const int number : {1, 2}) {
    GgufBuilder builder;
    builder.set("general.architecture", "llama");
    // Converters differ in the type.
    if (number == 1) builder.set("split.count", std::uint32_t{2});
    if (number == 2) builder.set("split.count", std::uint16_t{2});
    builder.add({.name = "m" + std::to_string(number), .rows = 2, .columns = 256}, values_);
    ASSERT_TRUE(builder.write(path(number)));
  }
  const auto file = GgufFile::open(path(1));
  ASSERT_TRUE(file.has_value()) << file.error().to_text();
  ASSERT_EQ(file->tensors().size(), 2U);
  EXPECT_EQ(expand(*file->find("m2")), values_);
  EXPECT_EQ(GgufFile::open(path(2)).error().code, ErrorCode::invalid_input);
  std::filesystem::remove(path(2));
  EXPECT_EQ(GgufFile::open(path(1)).error().code, ErrorCode::not_found);
}

TEST_F(GgufFiles, ANaNWeightIsNamed) {
  values_[300] = std::numeric_limits<float>::quiet_NaN();
  const auto file = GgufFile::open(write(StoredAs::f32)).value();
  const auto status = file.check_finite();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::corrupt);
  EXPECT_NE(status.error().message.find("tensor m"), std::string::npos);
}

}  // namespace
}  // namespace understudy::lm
