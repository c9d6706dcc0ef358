#include "adapters/lm/literals.hpp"

#include <gtest/gtest.h>

#include <random>

#include "adapters/lm/symbols.hpp"
#include "adapters/lm/words.hpp"

namespace understudy::lm {
namespace {

std::vector<TextPair> refunds(std::size_t count) {
  std::mt19937_64 random(7);
  const std::vector<std::string> names{"Ada", "Jo", "Lin", "Max", "Eve"};
  std::vector<TextPair> examples;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string order = "A-" + std::to_string(10000 + random() % 90000);
    const std::string& name = names[random() % names.size()];
    examples.push_back(
        {.prompt = "please refund order " + order + " of " + name + ".",
         .answer = "<tool>refund {\"name\":\"" + name + "\",\"order\":\"" + order + "\"}"});
  }
  return examples;
}

TEST(Words, KeepValuesTogether) {
  EXPECT_EQ(word_at("A-48213. Thanks"), "A-48213");
  EXPECT_EQ(word_at("jo.li@x.org>"), "jo.li@x.org");
  EXPECT_EQ(word_at("14:30, please"), "14:30");
  EXPECT_EQ(word_at("name:Jo"), "name");
  EXPECT_EQ(word_at("\"x"), "");
}

TEST(Words, ShapesTellFormats) {
  EXPECT_EQ(shape_of("A-48213"), "A-0000");
  EXPECT_EQ(shape_of("2026-03-05"), "0000-0-0");
  EXPECT_EQ(shape_of("49.90"), shape_of("149.95"));
  EXPECT_EQ(shape_of("Jo.li@x.org"), "a@a.a");
}

TEST(Literals, ReplaceValuesAndRestoreThem) {
  const auto examples = refunds(200);
  const Literals literals = Literals::fit(examples);
  for (const TextPair& example : examples) {
    const ReadPrompt prompt = literals.read(example.prompt);
    const std::string written = Literals::point(example.answer, prompt);
    EXPECT_NE(written.find("\"<|p:A-0000:0|>\""), std::string::npos) << written;
    EXPECT_EQ(Literals::restore(written, prompt), example.answer);
  }
}

TEST(Literals, CopyValuesNeverSeen) {
  const Literals literals = Literals::fit(refunds(200));
  const ReadPrompt prompt = literals.read("please refund order Z-00001 of Zebulon.");
  EXPECT_EQ(Literals::restore(Literals::point("Zebulon Z-00001", prompt), prompt),
            "Zebulon Z-00001");
  EXPECT_EQ(prompt.values.size(), 2U);
  EXPECT_NE(prompt.text.find("please refund order "), std::string::npos);
}

TEST(Literals, GiveEveryValueOnePointerOfItsShape) {
  const Literals literals = Literals::fit(refunds(200));
  const ReadPrompt prompt = literals.read("order Z-00001 of Zebulon, again Z-00001, not Z-00002");
  EXPECT_EQ(prompt.values, (std::map<std::string, std::string>{{"<|p:A-0000:0|>", "Z-00001"},
                                                               {"<|p:A-0000:1|>", "Z-00002"},
                                                               {"<|p:Aa:0|>", "Zebulon"}}));
  EXPECT_TRUE(prompt.text.ends_with("again <|p:A-0000:0|>, not <|p:A-0000:1|>")) << prompt.text;
}

TEST(Literals, ShowTheValuesThatNoPointerIsLeftFor) {
  const Literals literals = Literals::fit(refunds(200));
  std::string many;
  for (int i = 10000; i < 10100; ++i) many += "Z-" + std::to_string(i) + " ";
  const ReadPrompt prompt = literals.read(many);
  EXPECT_TRUE(prompt.text.ends_with("Z-10099 "));
  EXPECT_EQ(Literals::restore(prompt.text, prompt), many);
}

TEST(Literals, TakeARareNameForAValueAlthoughNobodyCopiedIt) {
  auto examples = refunds(200);
  for (int i = 0; i < 4; ++i) examples.push_back({.prompt = "Please call Alba", .answer = "ok"});
  for (int i = 0; i < 200; ++i) {
    const std::string name = i % 2 == 0 ? "Ada" : "Max";  // copied elsewhere, but not here
    examples.push_back({.prompt = "Please call " + name, .answer = "ok"});
  }
  const ReadPrompt prompt = Literals::fit(examples).read("Please call Alba");
  EXPECT_TRUE(prompt.text.starts_with("Please call ")) << prompt.text;
  EXPECT_EQ(prompt.values.size(), 1U) << prompt.text;
}

TEST(Literals, RefuseAPointerToNothing) {
  const ReadPrompt prompt = Literals::fit(refunds(50)).read("nothing here");
  EXPECT_FALSE(Literals::restore("<|p:A-0000:3|>", prompt).has_value());
}

TEST(Literals, SurviveTheirJson) {
  const Literals literals = Literals::fit(refunds(200));
  const auto parsed = Literals::parse(literals.to_json_text());
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->to_json_text(), literals.to_json_text());
  EXPECT_EQ(parsed->symbols(), literals.symbols());
  EXPECT_FALSE(Literals::parse("{\"version\":2}").has_value());
}

TEST(Symbols, AreFoundInForgedText) {
  EXPECT_TRUE(symbols::any_in("x <|p:A-0:3|>"));
  EXPECT_TRUE(symbols::any_in("<|answer|>"));
  EXPECT_FALSE(symbols::any_in("<|user|> a <| b"));
}

}  // namespace
}  // namespace understudy::lm
