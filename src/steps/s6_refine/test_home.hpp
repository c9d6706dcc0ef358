// For the tests of this folder: a home with keys, one clustered task ("which word is in the text")
// and a trained classifier for it, all made up and small. Removed at the end.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <format>
#include <random>

#include "adapters/crypto/keys.hpp"
#include "adapters/lm/classifier_model.hpp"
#include "adapters/store/call_log.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/text/classifier.hpp"
#include "adapters/wire/chat.hpp"
#include "base/clock.hpp"

namespace understudy::s6 {

inline json::value chat_request(const std::string& text) {
  return json::object{
      {"model", "gpt-4o"},
      {"messages", json::array{json::object{{"role", "system"}, {"content", "Name the fruit."}},
                               json::object{{"role", "user"}, {"content", "Text: " + text}}}}};
}

inline json::value chat_response(const std::string& text) {
  return json::object{
      {"choices", json::array{json::object{
                      {"message", json::object{{"role", "assistant"}, {"content", text}}}}}}};
}

class TestHome : public testing::Test {
 protected:
  static constexpr std::array fruits{"Apple", "Pear", "Plum"};

  void SetUp() override {
    ASSERT_TRUE(crypto::init_keys(home_.keys()));
    const std::string prompt = wire::prompt_text(chat_request("\x01"));
    const std::size_t slot = prompt.find('\x01');
    task_.id = {"t-00000000aa"};
    task_.name = "fruit <of> the text";
    task_.key.response_form = "text";
    task_.prompt_template =
        *PromptTemplate::create({prompt.substr(0, slot), prompt.substr(slot + 1)});
    task_.answer_form = AnswerForm::label;
    task_.answer_set = {"apple", "pear", "plum"};
    task_.statistics.calls = 600;
    artifact_.id = {"a0b1c2d3e4f5"};
  }
  void TearDown() override { std::filesystem::remove_all(home_.directory()); }

  struct Noise {
    double wrong_teacher = 0;  // share of answers that nobody could predict
  };

  // `count` calls, a third in each split, and their clustering.
  void write_calls(std::size_t count, Noise noise) {
    std::mt19937 random(11);
    std::bernoulli_distribution wrong(noise.wrong_teacher);
    std::vector<Example> examples;
    std::vector<Assignment> assignments;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t fruit = random() % fruits.size();
      const std::string text =
          std::format("today {} a {} for number {}", random() % 2 == 0 ? "I ate" : "we had",
                      fruits[fruit], random() % 10'000);
      const std::size_t answer = wrong(random) ? random() % fruits.size() : fruit;
      Example example;
      example.call = {std::format("call-{}", i)};
      example.session = {std::format("session-{}", i)};
      example.split = std::array{Split::train, Split::calibration, Split::test}[i % 3];
      example.request = SecretText(json::to_text(chat_request(text)));
      example.response = SecretText(json::to_text(chat_response(fruits[answer])));
      example.latency_us = 400'000;
      examples.push_back(example);
      assignments.push_back({.call = example.call, .task = task_.id, .confidence = 1});
      if (example.split == Split::train)
        training_.push_back({.text = lm::slots_text({text}), .label = fruits[answer]});
    }
    const std::array readers{*crypto::load_public_key(home_.keys(), crypto::Role::curator),
                             *crypto::load_public_key(home_.keys(), crypto::Role::trainer)};
    const auto dataset = store::write_dataset(home_, readers, examples, {});
    ASSERT_TRUE(dataset) << dataset.error().to_text();
    auto metadata = store::Metadata::open(home_);
    ASSERT_TRUE(metadata && metadata->replace_tasks(*dataset, {task_}, assignments));
  }

  void train_classifier() {
    const auto classifier = text::Classifier::train(training_, {.hash_bits = 14});
    ASSERT_TRUE(classifier);
    std::filesystem::create_directories(home_.artifacts() / artifact_.id.value);
    ASSERT_TRUE(
        classifier->save(home_.artifacts() / artifact_.id.value / lm::classifier_file_name));
    auto metadata = store::Metadata::open(home_);
    artifact_.task = task_.id;
    artifact_.kind = CandidateKind::classifier;
    artifact_.made_at = now();
    ASSERT_TRUE(metadata && metadata->add_artifact(artifact_));
  }

  store::Home home_ = *store::Home::open(std::filesystem::temp_directory_path() /
                                         ("refine_test." + std::to_string(::getpid())));
  Task task_;
  Artifact artifact_;
  std::vector<text::LabelledText> training_;
};

}  // namespace understudy::s6
