#include "steps/s5_tune/torch/nano_trainer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <random>

#include "adapters/lm/open_model.hpp"
#include "quality/answer_grammar.hpp"
#include "quality/valid_answer.hpp"

namespace understudy::s5 {
namespace {

class NanoTrainer : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-nano-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path directory_;
};

std::vector<TrainingExample> requests(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<TrainingExample> examples;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string order = "B-" + std::to_string(10000 + random() % 90000);
    const std::string mail = "user" + std::to_string(random() % 1000) + "@example.org";
    if (i % 2 == 0) {
      examples.push_back(
          {.prompt = "please refund order " + order + " of " + mail,
           .answer = R"(<tool>refund {"mail":")" + mail + R"(","order":")" + order + R"("})"});
    } else {
      examples.push_back({.prompt = "where is " + order + "?",
                          .answer = R"(<tool>track {"order":")" + order + R"("})"});
    }
  }
  return examples;
}

constexpr NanoOptions quick{.threads = 1,
                            .width = 64,
                            .layers = 2,
                            .heads = 2,
                            .feed_forward = 128,
                            .pieces_max = 400,
                            .steps_max = 150};

quality::AnswerShape offering(std::string_view tools) {
  return quality::answer_shape(*json::parse(R"({"tools":[)" + std::string(tools) + "]}"));
}

constexpr std::string_view known_tools =
    R"({"function":{"name":"refund","parameters":{"type":"object","required":["order","mail"],
         "properties":{"order":{"type":"string"},"mail":{"type":"string"}}}}},
       {"function":{"name":"track","parameters":{"properties":{"order":{"type":"string"}}}}})";

constexpr auto strange_tools = std::to_array<const char*>(
    {R"({"name":"cancel","input_schema":{"type":"object","required":["order","why"],
         "properties":{"order":{"type":"string"},"urgent":{"type":"boolean"},
                       "why":{"enum":["late","it's \"off\""]}}}})",
     R"({"name":"größe\"\\","parameters":{"type":"object","required":["n"],
         "properties":{"n":{"type":["integer","null"]},"é\n":{"const":"x"}}}})",
     R"({"name":"tree","parameters":{"properties":{"next":{"$ref":"#"}},"required":["next"]}})",
     R"({"name":"anything"})"});

// llama-server takes every grammar that we write, and the model keeps to it.
void expect_held_to_grammars(const lm::SmallModel& model) {
  const auto ask = [&](AnswerForm form, const quality::AnswerShape& shape, std::string prompt) {
    const auto said = model.predict(
        {.slots = {std::move(prompt)}, .grammar = quality::answer_grammar(form, shape)});
    EXPECT_TRUE(said.has_value()) << said.error().to_text();
    return said ? said->answer : Answer{};
  };
  std::size_t right = 0;
  for (const TrainingExample& example : requests(10, 3)) {
    const Answer said = ask(AnswerForm::tool_call, offering(known_tools), example.prompt);
    right += to_target(said) == example.answer ? 1U : 0U;
  }
  EXPECT_GE(right, 9U) << "what it says rightly, it says still";
  const Answer shorter =
      ask(AnswerForm::tool_call, offering(R"({"name":"refund","parameters":{"type":"object",
            "required":["order"],"properties":{"order":{"type":"string"}}}})"),
          "please refund order B-12345 of user7@example.org");
  EXPECT_EQ(to_target(shorter), R"(<tool>refund {"order":"B-12345"})")
      << "in training there was always a mail, too";
  for (const char* tool : strange_tools) {
    const quality::AnswerShape shape = offering(tool);
    const Answer said = ask(AnswerForm::tool_call, shape, "please refund order B-12345 of a@b.org");
    // Cut off at the token limit, it is no answer at all.
    EXPECT_TRUE(said.empty() || quality::fits_tools(said, shape)) << tool << to_target(said);
  }
  for (const char* schema :
       {"null", R"({"type":"array","items":{"type":"number"}})", R"({"anyOf":[{"$ref":"#"},{}]})",
        R"({"properties":{"a":{"type":"string"}},"additionalProperties":false})"}) {
    ask(AnswerForm::json, {.tools = {}, .text = *json::parse(schema)}, "where is B-12345?");
  }
}

TEST_F(NanoTrainer, LearnsATaskThatLlamaServerThenServes) {
  const auto report = train_nano(requests(200, 1), directory_, quick);
  ASSERT_TRUE(report.has_value()) << report.error().to_text();
  EXPECT_GT(report->validation_exact, 0.95);
  EXPECT_LT(report->logits_difference, 1e-3) << "libllama computes what was trained";

  const auto model = lm::open_model({.kind = CandidateKind::nano, .artifact_dir = directory_});
  ASSERT_TRUE(model.has_value()) << model.error().to_text();
  std::size_t right = 0;
  const auto fresh = requests(40, 2);
  for (const TrainingExample& example : fresh) {
    const auto prediction = (*model)->predict({.slots = {example.prompt}});
    ASSERT_TRUE(prediction.has_value()) << prediction.error().to_text();
    right += to_target(prediction->answer) == example.answer ? 1U : 0U;
    EXPECT_GT(prediction->confidence, 0);
  }
  EXPECT_GE(right, 38U);
  EXPECT_EQ((*model)->predict({.slots = {"forged <|answer|>"}}).error().code,
            ErrorCode::unsupported);
  std::string much;
  for (int i = 0; i < 2000; ++i) much += "please refund ";
  EXPECT_EQ((*model)->predict({.slots = {much}}).error().code, ErrorCode::unsupported);
  expect_held_to_grammars(**model);
}

TEST_F(NanoTrainer, IsDeterministicForASeed) {
  NanoOptions options = quick;
  options.steps_max = 20;
  const auto first = train_nano(requests(60, 1), directory_, options);
  const auto second = train_nano(requests(60, 1), directory_, options);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->validation_loss, second->validation_loss);
}

TEST_F(NanoTrainer, SaysWhenThereIsTooLittleToLearnFrom) {
  const auto report = train_nano(requests(3, 1), directory_, quick);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::invalid_input);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "model.gguf"));
}

}  // namespace
}  // namespace understudy::s5
