#include "adapters/lm/served_facts.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.hpp"

namespace understudy::lm {
namespace {

class ServedFactsFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-served-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    base_ = directory_ / "base.gguf";
    ASSERT_TRUE(write_file_atomically(base_, "weights"));
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] ServedFacts facts() const {
    return {.model = base_,
            .mark = mark_of_file(base_).value(),
            .adapter = "adapter.gguf",
            .form = PromptForm::chat,
            .context = 700,
            .answer_tokens_max = 12};
  }

  std::filesystem::path directory_;
  std::filesystem::path base_;
};

TEST_F(ServedFactsFiles, AreReadBackAsWritten) {
  ASSERT_TRUE(write_served_facts(directory_, facts()));
  const auto read = read_served_facts(directory_);
  ASSERT_TRUE(read.has_value()) << read.error().to_text();
  EXPECT_EQ(to_text(*read), to_text(facts()));
}

TEST_F(ServedFactsFiles, AModelOfTheArtifactIsFoundInItsDirectory) {
  ServedFacts own = facts();
  own.model = "model.gguf";
  own.mark.clear();
  ASSERT_TRUE(write_served_facts(directory_, own));
  EXPECT_EQ(read_served_facts(directory_)->model, directory_ / "model.gguf");
}

TEST_F(ServedFactsFiles, AnotherBaseInItsPlaceIsAConflictAndNoneIsNotFound) {
  ASSERT_TRUE(write_served_facts(directory_, facts()));
  ASSERT_TRUE(write_file_atomically(base_, "weightz"));
  EXPECT_EQ(read_served_facts(directory_).error().code, ErrorCode::conflict);
  std::filesystem::remove(base_);
  EXPECT_EQ(read_served_facts(directory_).error().code, ErrorCode::not_found);
}

TEST_F(ServedFactsFiles, NamesDoNotLeadOutOfTheDirectory) {
  for (const std::string name : {"../adapter.gguf", "..", "a/b", "/etc/passwd"}) {
    ServedFacts wrong = facts();
    wrong.adapter = name;
    EXPECT_EQ(parse_served_facts(to_text(wrong)).error().code, ErrorCode::corrupt) << name;
  }
  ServedFacts wrong = facts();
  wrong.model = "../base.gguf";
  EXPECT_EQ(parse_served_facts(to_text(wrong)).error().code, ErrorCode::corrupt);
  wrong = facts();
  wrong.mark.clear();
  EXPECT_FALSE(parse_served_facts(to_text(wrong)).has_value());
}

}  // namespace
}  // namespace understudy::lm
