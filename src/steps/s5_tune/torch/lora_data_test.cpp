#include "steps/s5_tune/torch/lora_data.hpp"

#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>

#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/decoder.hpp"
#include "steps/s5_tune/torch/optimiser.hpp"
#include "steps/s5_tune/torch/tiny_model.hpp"

namespace understudy::s5 {
namespace {

class SoftTokens : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-lora-data-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    base_ = directory_ / "tiny.gguf";
    ASSERT_TRUE(write_tiny_model(base_, {}));
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // Nine examples of which the first has guesses.
  [[nodiscard]] LoraData data_with(TokenGuesses guesses) const {
    std::vector<TuningExample> examples(
        9, TuningExample{.prompt = "p", .answer = "ab", .where = "x:1"});
    for (TuningExample& example : examples) example.guesses = guesses;
    const auto vocabulary = lm::Vocabulary::load(base_).value();
    return prepare_lora_data(examples, vocabulary, {}).value();
  }

  std::filesystem::path directory_, base_;
  c10::InferenceMode no_autograd_;
};

GuessedToken guessed(const std::string& text, std::vector<std::pair<std::string, double>> top) {
  GuessedToken token{.text = text, .likeliest = {}};
  for (const auto& [other, probability] : top) {
    token.likeliest.push_back({.text = other, .log_probability = std::log(probability)});
  }
  return token;
}

TEST_F(SoftTokens, AreWhatTheServerSaidInTheStudentsTokens) {
  const LoraData data = data_with({guessed("a", {{"a", 0.6}, {"c", 0.3}, {"not a token", 0.1}}),
                                   guessed("b", {{"b", 0.2}, {"not one either", 0.8}})});
  EXPECT_EQ(data.soft_tokens, 9U) << "of b's, too little is known";
  const TokenText& text = data.train.front();
  ASSERT_EQ(text.soft.size(), 3U) << "a, b and the end";
  ASSERT_EQ(text.soft[0].ids.size(), 2U);
  EXPECT_EQ(text.soft[0].ids[0], text.tokens[text.prompt_tokens]);
  EXPECT_NEAR(text.soft[0].probabilities[0], 0.6 / 0.9, 1e-6);
  EXPECT_NEAR(text.soft[0].probabilities[1], 0.3 / 0.9, 1e-6);
  EXPECT_TRUE(text.soft[1].ids.empty());
  EXPECT_TRUE(text.soft[2].ids.empty());
}

TEST_F(SoftTokens, OfATeacherThatCutsTheAnswerOtherwiseAreNotUsed) {
  EXPECT_EQ(data_with({guessed("ab", {{"ab", 1.0}})}).soft_tokens, 0U);
  EXPECT_EQ(data_with({guessed("a", {{"a", 1.0}})}).soft_tokens, 0U) << "of another answer";
  EXPECT_EQ(data_with({}).soft_tokens, 0U);
}

// A model of random weights with an adapter that learns.
struct Student {
  explicit Student(const std::filesystem::path& base) : file(lm::GgufFile::open(base).value()) {}

  lm::GgufFile file;
  DecoderPlan plan = plan_of(file).value();
  Adapter adapter = Adapter::create(plan, {.rank = 4}, at::kFloat).value();
  BaseWeights weights = BaseWeights(file, at::kFloat);
  Decoder decoder = Decoder(plan, weights, &adapter);
};

TEST_F(SoftTokens, MoveTheModelTowardsTheTeacher) {
  const LoraData data =
      data_with({guessed("a", {{"a", 0.6}, {"c", 0.4}}), guessed("b", {{"b", 1.0}})});
  const std::vector<std::size_t> chosen = {0, 1};
  Pack pack = make_pack(data.train, chosen);
  ASSERT_TRUE(pack.soft.has_value());
  pack.soft->share = 1;
  Student student(base_);
  const auto probabilities = [&] {  // of the first answer's token: what was said, and the other one
    const at::Tensor row = student.decoder.logits(pack)[0].softmax(0);
    const TokenText& text = data.train.front();
    return std::pair(row[text.soft[0].ids[0]].item<double>(),
                     row[text.soft[0].ids[1]].item<double>());
  };
  AdamW optimiser(student.adapter, {});
  constexpr int steps = 150;
  for (int step = 0; step < steps; ++step) {
    student.adapter.gradients().zero_();
    student.decoder.loss_and_gradients(pack, 0);
    optimiser.step(student.adapter, step, 5e-3 * (1 - static_cast<double>(step) / steps));
  }
  const auto [a, c] = probabilities();
  EXPECT_NEAR(a, 0.6, 0.05);
  EXPECT_NEAR(c, 0.4, 0.05);
}

TEST_F(SoftTokens, FillerBehindTextsChangesNothing) {
  std::vector<TokenText> texts(3);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (std::size_t token = 0; token < 4 + 5 * i + 30 * (i / 2); ++token) {
      texts[i].tokens.push_back(static_cast<lm::Token>(3 + (token * (i + 2)) % 7));
    }
    texts[i].prompt_tokens = 3;
  }
  Student student(base_);
  const auto loss_of = [&](const std::vector<std::size_t>& chosen) {
    const Pack pack = make_pack(texts, chosen);
    EXPECT_THAT(pack.begins, testing::ElementsAre(0, 4, 12, 56, 64));
    EXPECT_EQ(pack.tokens.numel(), 64);
    EXPECT_EQ(pack.positions.numel(), 64);
    student.adapter.gradients().zero_();
    const PackLoss loss = student.decoder.loss_and_gradients(pack, 0);
    return std::pair(loss.loss, student.adapter.gradients().clone());
  };
  EXPECT_EQ(tokens_in_pack(texts[0]), 4U) << "of 3";
  EXPECT_EQ(tokens_in_pack(texts[1]), 8U);
  EXPECT_EQ(tokens_in_pack(texts[2]), 44U) << "of 43";
  const auto [together, gradients] = loss_of({0, 1, 2});
  double alone = 0;
  at::Tensor sum = at::zeros_like(gradients);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Pack bare = make_pack(texts, std::vector<std::size_t>{i});
    const auto tokens = static_cast<std::int64_t>(texts[i].tokens.size()) - 1;
    bare.tokens = bare.tokens.narrow(0, 0, tokens);
    bare.positions = bare.positions.narrow(0, 0, tokens);
    bare.begins = {0, tokens};
    student.adapter.gradients().zero_();
    alone += student.decoder.loss_and_gradients(bare, 0).loss;
    sum.add_(student.adapter.gradients());
  }
  EXPECT_NEAR(together, alone, 1e-5 * alone);
  EXPECT_LT(gradients.sub(sum).abs().max().item<double>(), 1e-5 * sum.abs().max().item<double>());
}

TEST_F(SoftTokens, RowsWithoutAnOpinionLearnTheAnswer) {
  const LoraData data = data_with({guessed("a", {{"a", 1.0}}), guessed("b", {{"b", 1.0}})});
  const std::vector<std::size_t> chosen = {0, 1};
  Pack pack = make_pack(data.train, chosen);
  pack.soft->share = 0.5;
  Student student(base_);
  const double hard = student.decoder.loss(pack).loss;
  EXPECT_NEAR(student.decoder.loss_and_gradients(pack, 0).loss, hard, 1e-4 * hard);
}

}  // namespace
}  // namespace understudy::s5
