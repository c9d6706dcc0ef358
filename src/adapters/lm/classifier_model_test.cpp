#include "adapters/lm/classifier_model.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "adapters/text/classifier.hpp"

namespace understudy::lm {
namespace {

class ClassifierModelTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_ = std::filesystem::temp_directory_path() /
                                     ("classifier_model_test." + std::to_string(::getpid()));
};

TEST_F(ClassifierModelTest, AnswersInTheSpellingThatItWasTrainedOn) {
  const auto slots = [](std::string text) {
    return std::vector<std::string>{"Ann", std::move(text)};
  };
  std::vector<text::LabelledText> examples;
  for (const char* word : {"great", "lovely", "superb", "nice"})
    examples.push_back({.text = slots_text(slots(word)), .label = "Positive"});
  for (const char* word : {"awful", "broken", "bad", "ugly"})
    examples.push_back({.text = slots_text(slots(word)), .label = "Negative"});
  const auto classifier = text::Classifier::train(examples, {.hash_bits = 14});
  ASSERT_TRUE(classifier && classifier->save(directory_ / classifier_file_name));

  const auto model = open_classifier(directory_);
  ASSERT_TRUE(model);
  const auto prediction = (*model)->predict({.slots = slots("lovely")});
  ASSERT_TRUE(prediction);
  EXPECT_EQ(prediction->answer.text, "Positive");
  EXPECT_TRUE(prediction->answer.tool_calls.empty());
  EXPECT_GT(prediction->confidence, 0);
  EXPECT_GT(prediction->prompt_tokens, 0);
}

TEST_F(ClassifierModelTest, AMissingFileIsNamed) {
  const auto model = open_classifier(directory_);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::not_found);
  EXPECT_NE(model.error().message.find("classifier.bin"), std::string::npos);
}

}  // namespace
}  // namespace understudy::lm
