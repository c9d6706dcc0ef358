#include "steps/s5_tune/soft_targets.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "adapters/lm/gguf_writer.hpp"

namespace understudy::s5 {
namespace {

// A sentencepiece vocabulary holds "A" twice, as a byte and as a piece. What the teacher thought of
// "A" belongs to the piece: the byte reads the same but is another token.
TEST(SoftTargets, BelongToTheTokenThatTextsBecome) {
  std::string directory = "/tmp/understudy-soft-test-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  using lm::TokenType;
  const lm::TokenTable tokens{
      .pieces = {"<unk>", "<s>", "</s>", "<0x41>", "A", "B", "a"},
      .scores = {0, 0, 0, 0, 0, 0, 0},
      .types = {TokenType::unknown, TokenType::control, TokenType::control, TokenType::byte,
                TokenType::normal, TokenType::normal, TokenType::normal}};
  constexpr lm::Token piece_a = 4;
  const auto path = std::filesystem::path(directory) / "vocabulary.gguf";
  ASSERT_TRUE(lm::write_gguf(path, {.shape = {.vocabulary = 7}, .tokens = tokens}));
  const auto vocabulary = lm::Vocabulary::load(path).value();
  ASSERT_EQ(vocabulary.encode("A"), std::vector<lm::Token>{piece_a});

  const TuningExample example{
      .prompt = "a",
      .answer = "A",
      .guesses = {{.text = "A",
                   .likeliest = {{.text = "A", .log_probability = std::log(0.7)},
                                 {.text = "B", .log_probability = std::log(0.3)}}}}};
  TokenText text{.tokens = {6, piece_a, 2}, .prompt_tokens = 1};
  EXPECT_EQ(SoftTargetFinder(vocabulary).find(example, text), 1U);
  EXPECT_EQ(text.soft.front().ids, (std::vector<lm::Token>{piece_a, piece_a + 1}));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace understudy::s5
