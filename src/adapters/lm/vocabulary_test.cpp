#include "adapters/lm/vocabulary.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <random>

#include "adapters/lm/gguf_builder.hpp"
#include "adapters/lm/gguf_writer.hpp"
#include "adapters/lm/tokenizer_fit.hpp"

namespace understudy::lm {
namespace {

class VocabularyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::string> texts;
    for (int i = 0; i < 300; ++i) {
      texts.push_back("please refund order A-" + std::to_string(48213 + i * 37) +
                      " for\njo.li@example.com, thank you");
    }
    const auto table =
        fit_tokenizer(texts, {.pieces_max = 400, .symbols = {"<|slot|>", "<|p:A:0|>"}});
    ASSERT_TRUE(table.has_value()) << table.error().to_text();
    GgufContent content{.name = "test", .tokens = *table};
    content.shape.vocabulary = static_cast<std::uint32_t>(table->pieces.size());
    path_ = std::filesystem::temp_directory_path() /
            ("understudy-vocabulary-" + std::to_string(::getpid()) + ".gguf");
    const auto written = write_gguf(path_, content);
    ASSERT_TRUE(written.has_value()) << written.error().to_text();
    auto loaded = Vocabulary::load(path_);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().to_text();
    vocabulary_ = std::make_unique<Vocabulary>(std::move(*loaded));
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::filesystem::path path_;
  std::unique_ptr<Vocabulary> vocabulary_;
};

TEST_F(VocabularyTest, EveryTextSurvivesTheRoundTrip) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (std::size_t i = 0; i < 40; ++i) text += static_cast<char>(1 + random() % 127);
    EXPECT_EQ(vocabulary_->decode(vocabulary_->encode(text)), text);
  }
  for (const std::string text : {" two  spaces ", "Größe 東京 🎉", "\n\n", "order"}) {
    EXPECT_EQ(vocabulary_->decode(vocabulary_->encode(text)), text);
  }
}

TEST_F(VocabularyTest, SymbolsAreOneTokenAndDigitsStandAlone) {
  EXPECT_EQ(vocabulary_->encode("<|slot|>").size(), 1U);
  EXPECT_EQ(vocabulary_->encode("48213").size(), 5U);
  EXPECT_LT(vocabulary_->encode("please refund order").size(), 6U);
}

// Bytes only: a space is three of them, for sentencepiece writes it as U+2581.
TEST_F(VocabularyTest, ATextMayHaveMoreTokensThanBytesAndATokenHundredsOfBytes) {
  TokenTable bytes{.pieces = {"<unk>", "<s>", "</s>"},
                   .scores = {},
                   .types = {TokenType::unknown, TokenType::control, TokenType::control}};
  for (int byte = 0; byte < 256; ++byte) {
    char piece[8];
    std::snprintf(piece, sizeof piece, "<0x%02X>", byte);
    bytes.pieces.emplace_back(piece);
    bytes.types.push_back(TokenType::byte);
  }
  bytes.pieces.push_back(std::string(300, 'x'));
  bytes.types.push_back(TokenType::user_defined);
  bytes.scores.resize(bytes.pieces.size(), 0);
  GgufContent content{.name = "bytes", .tokens = bytes};
  content.shape.vocabulary = static_cast<std::uint32_t>(bytes.pieces.size());
  ASSERT_TRUE(write_gguf(path_, content));
  const Vocabulary vocabulary = Vocabulary::load(path_).value();
  EXPECT_EQ(vocabulary.encode("a    b").size(), 2U + 4 * 3);
  const std::string wide = "a" + std::string(300, 'x') + "b";
  const auto tokens = vocabulary.encode(wide);
  EXPECT_EQ(tokens.size(), 3U);
  EXPECT_EQ(vocabulary.decode(tokens), wide);
}

TEST_F(VocabularyTest, AModelWithoutATokenizerIsRefused) {
  GgufBuilder model;
  model.set("general.architecture", "llama");
  model.set("tokenizer.ggml.model", "none");
  ASSERT_TRUE(model.write(path_));
  const auto loaded = Vocabulary::load(path_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::unsupported) << loaded.error().to_text();
}

// Two tokens of one text: an assertion of libllama, which would end the program.
TEST_F(VocabularyTest, AFileThatLibllamaWouldDieOfIsAnError) {
  TokenTable twice{.pieces = {"<unk>", "<s>", "</s>", "a", "a"},
                   .scores = {0, 0, 0, 0, 0},
                   .types = {TokenType::unknown, TokenType::control, TokenType::control,
                             TokenType::normal, TokenType::normal}};
  GgufContent content{.name = "twice", .tokens = twice};
  content.shape.vocabulary = static_cast<std::uint32_t>(twice.pieces.size());
  ASSERT_TRUE(write_gguf(path_, content));
  const auto loaded = Vocabulary::load(path_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::corrupt);
  EXPECT_TRUE(loaded.error().message.contains(path_.string())) << loaded.error().message;
  EXPECT_TRUE(loaded.error().message.contains("token_to_id")) << loaded.error().message;
}

TEST(Vocabulary, SaysWhichFileIsMissing) {
  const auto loaded = Vocabulary::load("/no/such.gguf");
  ASSERT_FALSE(loaded.has_value());
  EXPECT_NE(loaded.error().message.find("/no/such.gguf"), std::string::npos);
}

}  // namespace
}  // namespace understudy::lm
