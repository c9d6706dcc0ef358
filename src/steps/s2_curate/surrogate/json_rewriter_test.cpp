#include "steps/s2_curate/surrogate/json_rewriter.hpp"

#include <gmock/gmock.h>

#include <vector>

#include "base/json.hpp"

namespace understudy::s2 {
namespace {

std::optional<std::string> upper_x(const JsonLeaf& leaf) {
  std::string out(leaf.text);
  const std::size_t at = out.find('x');
  if (at == std::string::npos) return std::nullopt;
  out[at] = 'X';
  return out;
}

TEST(JsonRewriter, ChangesStringsAndKeepsEveryOtherByte) {
  const auto out = rewrite_json(R"( { "a" : [ "x" , 1.50e1, null ],  "x":"\u00e9y" } )", upper_x);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(**out, R"( { "a" : [ "X" , 1.50e1, null ],  "X":"\u00e9y" } )");
}

TEST(JsonRewriter, SaysWhenNothingChanged) {
  const auto out = rewrite_json(R"({"a":"b"})", upper_x);
  ASSERT_TRUE(out.has_value());
  EXPECT_FALSE(out->has_value());
}

TEST(JsonRewriter, ReadsAndWritesEscapes) {
  const auto out = rewrite_json(R"(["\u0078 \ud83d\ude00 \"q\" \\ \n"])", upper_x);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(json::parse(**out)->as_array()[0].as_string(), "X \xf0\x9f\x98\x80 \"q\" \\ \n");
}

TEST(JsonRewriter, WalksJsonInsideStringsAndKeepsItsSpaces) {
  std::vector<std::string> keys;
  const auto out =
      rewrite_json(R"({"arguments":"{ \"name\": \"x\", \"n\": 1 }"})", [&](const JsonLeaf& leaf) {
        if (leaf.kind == JsonLeaf::Kind::text) keys.emplace_back(leaf.key);
        return upper_x(leaf);
      });
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(**out, R"({"arguments":"{ \"name\": \"X\", \"n\": 1 }"})");
  EXPECT_THAT(keys, testing::ElementsAre("name"));
}

TEST(JsonRewriter, KeepsNumbersNumbers) {
  const auto out = rewrite_json(R"({"phone": 4155552671, "n": 12})", [](const JsonLeaf& leaf) {
    return leaf.kind == JsonLeaf::Kind::number ? std::optional<std::string>("4155550000")
                                               : std::nullopt;
  });
  EXPECT_EQ(**out, R"({"phone": 4155550000, "n": 12})");
}

TEST(JsonRewriter, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "[1", "{\"a\"}", "\"a", "[1,]x", "{\"a\":}", "\"\\", "]"})
    EXPECT_FALSE(rewrite_json(text, upper_x).has_value()) << text;
}

}  // namespace
}  // namespace understudy::s2
