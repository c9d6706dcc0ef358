#include "adapters/store/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "base/files.hpp"

namespace understudy::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class DatasetTest : public testing::Test {
 protected:
  DatasetTest() {
    std::string name = (fs::temp_directory_path() / "understudy-dataset-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(Home::open(directory_).value());
    EXPECT_TRUE(crypto::init_keys(home_->keys()));
    readers_ = {crypto::load_public_key(home_->keys(), crypto::Role::curator).value(),
                crypto::load_public_key(home_->keys(), crypto::Role::trainer).value()};
  }
  ~DatasetTest() override { fs::remove_all(directory_); }

  crypto::SecretKey key(crypto::Role role) {
    return crypto::load_secret_key(home_->keys(), role).value();
  }
  static std::vector<Example> examples(int count) {
    std::vector<Example> made;
    for (int i = 0; i < count; ++i) {
      Example example;
      example.call = {"c" + std::to_string(i)};
      example.split = Split::calibration;
      example.request = SecretText("a request about Hanako");
      made.push_back(std::move(example));
    }
    return made;
  }

  fs::path directory_;
  std::optional<Home> home_;
  std::array<crypto::PublicKey, 2> readers_;
};

TEST_F(DatasetTest, CuratorAndTrainerReadWhatWasWritten) {
  const DatasetId id = write_dataset(*home_, readers_, examples(3), {{"calls", 9}}).value();
  EXPECT_EQ(current_dataset(*home_), id);
  for (const auto role : {crypto::Role::curator, crypto::Role::trainer}) {
    const auto back = read_dataset(*home_, id, key(role)).value();
    ASSERT_EQ(back.size(), 3u);
    EXPECT_EQ(back[2].call.value, "c2");
    EXPECT_EQ(back[2].split, Split::calibration);
    EXPECT_EQ(back[2].request.reveal(), "a request about Hanako");
  }
  EXPECT_EQ(read_dataset(*home_, id, key(crypto::Role::auditor)).error().code, ErrorCode::denied);
  const json::value manifest = read_manifest(*home_, id).value();
  EXPECT_EQ(json::find_integer(manifest, "examples"), 3);
  EXPECT_EQ(json::find_integer(manifest, "calls"), 9);
  EXPECT_EQ(json::find_string(manifest, "id"), id.value);
}

TEST_F(DatasetTest, EqualDataHasOneIdAndOtherDataAnother) {
  const DatasetId id = write_dataset(*home_, readers_, examples(3), {}).value();
  EXPECT_NE(write_dataset(*home_, readers_, examples(4), {}).value(), id);
  EXPECT_EQ(write_dataset(*home_, readers_, examples(3), {}).value(), id);
  EXPECT_EQ(current_dataset(*home_), id);
  EXPECT_EQ(read_dataset(*home_, id, key(crypto::Role::curator))->size(), 3u);
}

TEST_F(DatasetTest, AHomeWithoutOneSaysWhatToRun) {
  const auto none = current_dataset(*home_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::not_found);
  EXPECT_THAT(none.error().hint, HasSubstr("understudy curate"));
}

TEST_F(DatasetTest, ACutDataSetIsCorruptEvenBetweenRecords) {
  const DatasetId id = write_dataset(*home_, readers_, examples(3), {}).value();
  const fs::path path = home_->datasets() / id.value / "examples.sealed";
  const std::string sound = read_file(path).value();
  for (std::size_t size = sound.size() - 1; size > sound.size() - 300; --size) {
    ASSERT_TRUE(write_file_atomically(path, sound.substr(0, size)));
    const auto read = read_dataset(*home_, id, key(crypto::Role::trainer));
    ASSERT_FALSE(read) << size;
    ASSERT_EQ(read.error().code, ErrorCode::corrupt);
  }
}

TEST_F(DatasetTest, NoExampleIsReadableOnTheDisk) {
  const DatasetId id = write_dataset(*home_, readers_, examples(3), {}).value();
  for (const char* name : {"examples.sealed", "manifest.json"}) {
    EXPECT_EQ(read_file(home_->datasets() / id.value / name)->find("Hanako"), std::string::npos);
  }
}

}  // namespace
}  // namespace understudy::store
