#include "adapters/lm/safetensors.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.hpp"

namespace understudy::lm {
namespace {

class SafetensorsFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-safetensors-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = directory_ / "x.safetensors";
    const std::vector<float> values = {1, 2, 3, 4, 5, 6};
    const std::vector<ViewedTensor> tensors = {{.name = "a", .shape = {2, 3}, .values = values},
                                               {.name = "none", .shape = {0}, .values = {}}};
    ASSERT_TRUE(write_safetensors(path_, {{"step", "7"}}, tensors));
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path directory_;
  std::filesystem::path path_;
};

TEST_F(SafetensorsFile, ReadsWhatItWrote) {
  const auto file = read_safetensors(path_);
  ASSERT_TRUE(file.has_value()) << file.error().to_text();
  EXPECT_EQ(file->facts.at("step"), "7");
  EXPECT_EQ(file->tensors.at("a").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file->tensors.at("a").values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(file->tensors.at("none").values.empty());
}

TEST_F(SafetensorsFile, ATruncatedFileIsCorruptAtEveryLength) {
  const std::string whole = read_file(path_).value();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto file = parse_safetensors(std::string_view(whole).substr(0, length));
    ASSERT_FALSE(file.has_value()) << length;
    EXPECT_EQ(file.error().code, ErrorCode::corrupt) << length;
  }
}

}  // namespace
}  // namespace understudy::lm
