#include "adapters/lm/hf/tokenizer_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <format>
#include <utility>

#include "base/json.hpp"

namespace understudy::lm {
namespace {

using testing::HasSubstr;

// "a", "b", "c", the given further pieces and merges, and all bytes.
std::string sentencepiece(std::initializer_list<const char*> pieces, const json::array& merges) {
  json::object vocabulary{{"<unk>", 0}};
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary[std::format("<0x{:02X}>", byte)] = static_cast<std::int64_t>(vocabulary.size());
  }
  for (const char* piece : {"a", "b", "c", "▁"}) {
    vocabulary[piece] = static_cast<std::int64_t>(vocabulary.size());
  }
  for (const char* piece : pieces) {
    vocabulary[piece] = static_cast<std::int64_t>(vocabulary.size());
  }
  return json::to_text(json::object{
      {"normalizer",
       json::object{
           {"type", "Replace"}, {"pattern", json::object{{"String", " "}}}, {"content", "▁"}}},
      {"model", json::object{{"type", "BPE"},
                             {"unk_token", "<unk>"},
                             {"byte_fallback", true},
                             {"vocab", vocabulary},
                             {"merges", merges}}}});
}

json::array pairs(std::initializer_list<std::pair<const char*, const char*>> merges) {
  json::array list;
  for (const auto& [left, right] : merges) list.push_back(json::array{left, right});
  return list;
}

TEST(TokenizerFile, RanksOfMergesBecomeScores) {
  const auto file = parse_tokenizer_file(
      sentencepiece({"ab", "bc", "abc"}, pairs({{"a", "b"}, {"b", "c"}, {"a", "bc"}, {"ab", "c"}})),
      "t");
  ASSERT_TRUE(file.has_value()) << file.error().to_text();
  EXPECT_EQ(file->model, "llama");
  EXPECT_FALSE(file->space_prefix);
  const auto score = [&](const char* piece) {
    return file->scores[static_cast<std::size_t>(file->ids.find(piece)->second)];
  };
  EXPECT_GT(score("ab"), score("bc"));
  EXPECT_GT(score("bc"), score("abc"));
}

TEST(TokenizerFile, MergesThatAreNotSentencepiecesAreRefused) {
  const auto error = [](std::initializer_list<const char*> pieces, const json::array& merges) {
    const auto file = parse_tokenizer_file(sentencepiece(pieces, merges), "t");
    return file ? std::string() : file.error().message;
  };
  // libllama would merge "b" and "c", which this tokenizer leaves apart.
  EXPECT_THAT(error({"ab", "bc"}, pairs({{"a", "b"}})), HasSubstr("\"b\" and \"c\" stay apart"));
  EXPECT_THAT(error({"ab", "bc", "abc"}, pairs({{"a", "b"}, {"ab", "c"}, {"b", "c"}, {"a", "bc"}})),
              HasSubstr("far apart"));
}

TEST(TokenizerFile, AllBytesMustBePieces) {
  auto tree = json::parse(sentencepiece({}, {})).value();
  auto& vocabulary = tree.as_object()["model"].as_object()["vocab"].as_object();
  const json::value id = vocabulary["<0x41>"];
  vocabulary.erase("<0x41>");
  const auto file = parse_tokenizer_file(json::to_text(tree), "t");
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().message, HasSubstr("do not hold all bytes"));

  vocabulary["A"] = id;  // as Gemma's tabulator
  EXPECT_TRUE(parse_tokenizer_file(json::to_text(tree), "t").has_value());
}

// Gemma's line ends and tags: found in the text before merging, whatever their merges say.
TEST(TokenizerFile, MergesOfAddedTokensCountForNothing) {
  const std::string text =
      sentencepiece({"ab", "bc", "abc"}, pairs({{"a", "b"}, {"ab", "c"}, {"b", "c"}, {"a", "bc"}}));
  auto tree = json::parse(text).value();
  const auto add = [&](const char* piece) {
    const json::value id = tree.at("model").at("vocab").at(piece);
    tree.as_object()["added_tokens"] =
        json::array{json::object{{"id", id}, {"content", piece}, {"special", false}}};
  };
  add("ab");
  EXPECT_FALSE(parse_tokenizer_file(json::to_text(tree), "t").has_value());
  add("abc");
  const auto file = parse_tokenizer_file(json::to_text(tree), "t");
  ASSERT_TRUE(file.has_value()) << file.error().to_text();
  EXPECT_EQ(file->types[static_cast<std::size_t>(file->ids.find("abc")->second)],
            TokenType::user_defined);
}

}  // namespace
}  // namespace understudy::lm
