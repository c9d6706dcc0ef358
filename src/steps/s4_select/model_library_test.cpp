#include "steps/s4_select/model_library.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "adapters/lm/gguf_builder.hpp"
#include "base/files.hpp"

namespace understudy::s4 {
namespace {

class ModelLibraries : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-model-library-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    home_ = *store::Home::open(directory_ / "home");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::filesystem::path write_model(const char* name, std::uint32_t parts = 1) const {
    lm::GgufBuilder builder;
    builder.set("general.architecture", "llama");
    builder.set("llama.block_count", std::uint32_t{1});
    builder.set("split.count", parts);
    builder.add({.name = "a", .rows = 1, .columns = 32, .type = lm::StoredAs::f16},
                std::vector<float>(32));
    EXPECT_TRUE(builder.write(directory_ / name).has_value());
    return directory_ / name;
  }

  std::filesystem::path directory_;
  std::optional<store::Home> home_;
};

TEST_F(ModelLibraries, AddedModelsAreListedAndRemoved) {
  EXPECT_TRUE(list_models(*home_)->models.empty());
  const auto added = add_model(*home_, write_model("m.gguf"), "mine");
  ASSERT_TRUE(added) << added.error().to_text();
  EXPECT_EQ(added->name, "mine");
  ASSERT_EQ(list_models(*home_)->models.size(), 1U);
  EXPECT_EQ(list_models(*home_)->models[0].file.parameters, 32);
  EXPECT_EQ(add_model(*home_, directory_ / "m.gguf", "mine").error().code, ErrorCode::conflict);
  EXPECT_TRUE(find_model(*home_, "other").error().to_text().contains("mine"));
  EXPECT_TRUE(remove_model(*home_, "mine"));
  EXPECT_TRUE(list_models(*home_)->models.empty());
  EXPECT_TRUE(std::filesystem::exists(directory_ / "m.gguf"));  // what was added from stays
}

TEST_F(ModelLibraries, AModelInPartsIsTakenWhole) {
  const auto first = write_model("m-00001-of-00002.gguf", 2);
  EXPECT_EQ(add_model(*home_, first, "").error().code, ErrorCode::not_found);
  (void)write_model("m-00002-of-00002.gguf");
  (void)write_model("other-00002-of-00002.gguf");
  ASSERT_TRUE(add_model(*home_, first, ""));
  const auto library = list_models(*home_);
  ASSERT_EQ(library->models.size(), 1U);
  EXPECT_EQ(library->models[0].file.parameters, 64);
  EXPECT_TRUE(library->broken.empty());
  EXPECT_TRUE(remove_model(*home_, "m-00001-of-00002"));
  EXPECT_TRUE(std::filesystem::is_empty(models_directory(*home_)));
}

TEST_F(ModelLibraries, ABrokenFileIsToldAndHidesNoOther) {
  ASSERT_TRUE(add_model(*home_, write_model("m.gguf"), ""));
  std::ofstream(models_directory(*home_) / "broken.gguf") << "GGUF";
  const auto library = list_models(*home_);
  EXPECT_EQ(library->models.size(), 1U);
  ASSERT_EQ(library->broken.size(), 1U);
  EXPECT_TRUE(library->broken[0].message.contains("broken.gguf"));
  EXPECT_FALSE(add_model(*home_, models_directory(*home_) / "broken.gguf", "x"));
  EXPECT_FALSE(std::filesystem::exists(models_directory(*home_) / "x.gguf"));
}

TEST_F(ModelLibraries, ABaseThatAnArtifactWasTunedOnStays) {
  const auto model = add_model(*home_, write_model("m.gguf"), "");
  std::filesystem::create_directories(home_->artifacts() / "lora-1");
  ASSERT_TRUE(write_file_atomically(home_->artifacts() / "lora-1/artifact.json",
                                    R"({"base":")" + model->file.path.string() + "\"}"));
  const auto removed = remove_model(*home_, "m");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::conflict);
  EXPECT_TRUE(removed.error().message.contains("lora-1"));
}

TEST_F(ModelLibraries, NamesStayInTheFolder) {
  const auto file = write_model("m.gguf");
  EXPECT_EQ(add_model(*home_, file, "../m").error().code, ErrorCode::invalid_input);
  EXPECT_EQ(find_model(*home_, "../m").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace understudy::s4
