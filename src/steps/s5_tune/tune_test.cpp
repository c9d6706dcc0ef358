#include "steps/s5_tune/tune.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <format>
#include <fstream>

#include "adapters/crypto/keys.hpp"
#include "adapters/lm/open_model.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/wire/chat.hpp"
#include "base/files.hpp"

namespace understudy::s5 {
namespace {

json::value request_of(const std::string& text) {
  return json::object{
      {"model", "teacher"},
      {"messages", json::array{json::object{{"role", "user"}, {"content", "Fruit of: " + text}}}}};
}

class Tune : public testing::Test {
 protected:
  static constexpr std::array fruits{"Apple", "Pear", "Plum"};

  void SetUp() override {
    ASSERT_TRUE(crypto::init_keys(home_.keys()));
    const std::string prompt = wire::prompt_text(request_of("\x01"));
    const std::size_t slot = prompt.find('\x01');
    task_.id = {"t-00000000aa"};
    task_.name = "fruit";
    task_.prompt_template =
        *PromptTemplate::create({prompt.substr(0, slot), prompt.substr(slot + 1)});
    task_.answer_form = AnswerForm::label;
    task_.answer_set = {"apple", "pear", "plum"};
  }
  void TearDown() override { std::filesystem::remove_all(home_.directory()); }

  void write_calls(std::size_t count) {
    std::vector<Example> examples;
    std::vector<Assignment> assignments;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string fruit = fruits[i % fruits.size()];
      const json::object message{{"role", "assistant"}, {"content", fruit}};
      Example example;
      example.call = {std::format("call-{}", i)};
      example.session = {std::format("session-{}", i)};
      example.request =
          SecretText(json::to_text(request_of(std::format("I ate a {} at {}", fruit, i))));
      example.response = SecretText(json::to_text(
          json::object{{"choices", json::array{json::object{{"message", message}}}}}));
      example.split = i % 4 == 3 ? Split::test : Split::train;
      assignments.push_back({.call = example.call, .task = task_.id, .confidence = 1});
      examples.push_back(std::move(example));
    }
    const std::array readers{*crypto::load_public_key(home_.keys(), crypto::Role::trainer)};
    const auto dataset = store::write_dataset(home_, readers, examples, {});
    ASSERT_TRUE(dataset) << dataset.error().to_text();
    auto metadata = store::Metadata::open(home_);
    ASSERT_TRUE(metadata && metadata->replace_tasks(*dataset, {task_}, assignments));
  }

  // Stands in for understudy-train.
  std::filesystem::path trainer(const std::string& script) {
    const auto path = home_.directory() / "trainer.sh";
    std::ofstream(path) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }

  std::size_t artifact_directories() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(home_.artifacts()), {}));
  }

  store::Home home_ = *store::Home::open(std::filesystem::temp_directory_path() /
                                         ("tune_test." + std::to_string(::getpid())));
  Task task_;
};

TEST_F(Tune, ClassifierAnswersInTheTeachersWords) {
  write_calls(120);
  const auto artifact = tune(home_, task_.id, {.kind = CandidateKind::classifier});
  ASSERT_TRUE(artifact.has_value()) << artifact.error().to_text();
  const auto model = lm::open_model(
      {.kind = CandidateKind::classifier, .artifact_dir = home_.artifacts() / artifact->id.value});
  ASSERT_TRUE(model.has_value()) << model.error().to_text();
  EXPECT_EQ((*model)->predict({.slots = {"I ate a Pear at noon"}})->answer.text, "Pear");
  EXPECT_EQ(store::Metadata::open(home_)->artifacts(task_.id)->front().id, artifact->id);
}

TEST_F(Tune, NanoGivesTheTrainSplitToTheTrainerAndKeepsWhatItMade) {
  write_calls(120);
  const auto program = trainer(
      "out=$4\n"
      "cat > \"$out/model.gguf\"\n"
      "echo '{\"steps\": 3}'\n");
  const auto artifact = tune(home_, task_.id, {.seed = 7, .trainer_program = program});
  ASSERT_TRUE(artifact.has_value()) << artifact.error().to_text();
  EXPECT_EQ(artifact->metrics_json, "{\"steps\": 3}");
  const auto seen = read_file(home_.artifacts() / artifact->id.value / "model.gguf");
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(std::ranges::count(*seen, '\n'), 90) << "the test split stays aside";
  EXPECT_TRUE(seen->contains(R"("prompt":"I ate a Apple at 0)")) << "only the slot is read";
}

TEST_F(Tune, FailedTrainerLeavesNothing) {
  write_calls(120);
  for (const std::string script : {"exit 3\n", "kill -9 $$\n", "echo too early; exit 1\n"}) {
    const auto artifact = tune(home_, task_.id, {.trainer_program = trainer(script)});
    ASSERT_FALSE(artifact.has_value());
    EXPECT_EQ(artifact_directories(), 0U) << script;
  }
  const auto missing = tune(home_, task_.id, {.trainer_program = "/no/such/trainer"});
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("/no/such/trainer"), std::string::npos);
}

TEST_F(Tune, SaysWhyATaskDoesNotSuit) {
  write_calls(16);
  EXPECT_EQ(tune(home_, task_.id, {.kind = CandidateKind::classifier}).error().code,
            ErrorCode::invalid_input)
      << "too few calls";
  EXPECT_EQ(tune(home_, {"t-ffffffffff"}, {}).error().code, ErrorCode::not_found);
  task_.answer_set.clear();
  write_calls(120);
  const auto open = tune(home_, task_.id, {.kind = CandidateKind::classifier});
  ASSERT_FALSE(open.has_value());
  EXPECT_NE(open.error().hint.find("nano"), std::string::npos);
  task_.separable = false;
  write_calls(121);
  EXPECT_EQ(tune(home_, task_.id, {}).error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace understudy::s5
