#include "adapters/lm/model_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "adapters/lm/gguf_builder.hpp"

namespace understudy::lm {
namespace {

class ModelFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-model-file-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static GgufBuilder head() {
    GgufBuilder builder;
    builder.set("general.architecture", "llama");
    builder.set("general.name", "Tiny");
    builder.set("general.license", "apache-2.0");
    builder.set("llama.block_count", std::uint32_t{4});
    builder.set("llama.context_length", std::uint32_t{2048});
    builder.set("llama.embedding_length", std::uint32_t{256});
    builder.set("llama.attention.head_count", std::uint32_t{8});
    builder.set("llama.attention.head_count_kv", std::uint32_t{2});
    return builder;
  }
  [[nodiscard]] std::filesystem::path write(const GgufBuilder& builder, const char* name) const {
    EXPECT_TRUE(builder.write(directory_ / name).has_value());
    return directory_ / name;
  }
  static void add_matrix(GgufBuilder& builder, const char* name, StoredAs type) {
    builder.add({.name = name, .rows = 4, .columns = 256, .type = type}, std::vector<float>(1024));
  }

  std::filesystem::path directory_;
};

TEST_F(ModelFiles, SizesComeFromTheHead) {
  GgufBuilder builder = head();
  add_matrix(builder, "a", StoredAs::q8_0);
  add_matrix(builder, "b", StoredAs::q8_0);
  add_matrix(builder, "c", StoredAs::f16);
  const auto model = read_model_file(write(builder, "m.gguf"));
  ASSERT_TRUE(model) << model.error().to_text();
  EXPECT_EQ(model->name, "Tiny");
  EXPECT_EQ(model->licence, "apache-2.0");
  EXPECT_EQ(model->parameters, 3 * 1024);
  EXPECT_EQ(model->weight_bytes, 2 * 1024 / 32 * 34 + 1024 * 2);
  EXPECT_EQ(model->stored_as, "q8_0");
  EXPECT_EQ(model->context_tokens, 2048);
  // 4 layers, 2 heads of 32 for keys and as many for values, 2 bytes each.
  EXPECT_EQ(model->kv_bytes_per_token, 4 * 2 * (32 + 32) * 2);
  EXPECT_FALSE(model->has_chat_template);
}

TEST_F(ModelFiles, PartsOfAModelCountTogether) {
  GgufBuilder first = head();
  first.set("split.count", std::uint32_t{2});
  add_matrix(first, "a", StoredAs::f16);
  GgufBuilder second;
  add_matrix(second, "b", StoredAs::f16);
  const auto path = write(first, "m-00001-of-00002.gguf");
  EXPECT_EQ(read_model_file(path).error().code, ErrorCode::not_found);  // names the part
  const auto part = write(second, "m-00002-of-00002.gguf");
  EXPECT_EQ(read_model_file(path)->parameters, 2048);
  EXPECT_EQ(read_model_file(part).error().code, ErrorCode::corrupt);
}

TEST_F(ModelFiles, WhatIsNoModelIsAnErrorThatNamesTheFile) {
  GgufBuilder adapter;
  adapter.set("general.architecture", "llama");
  add_matrix(adapter, "blk.0.attn_q.weight.lora_a", StoredAs::f16);
  const auto no_layers = read_model_file(write(adapter, "adapter.gguf"));
  ASSERT_FALSE(no_layers);
  EXPECT_TRUE(no_layers.error().message.contains("adapter.gguf"));

  GgufBuilder builder = head();
  add_matrix(builder, "a", StoredAs::f16);
  const auto path = write(builder, "cut.gguf");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 64);
  EXPECT_EQ(read_model_file(path).error().code, ErrorCode::corrupt);
  EXPECT_EQ(read_model_file(directory_ / "absent.gguf").error().code, ErrorCode::not_found);
  EXPECT_EQ(read_model_file(write(head(), "empty.gguf")).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace understudy::lm
