#include "steps/s2_curate/detect/text_scanner.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "steps/s2_curate/detect/json_walker.hpp"
#include "steps/s2_curate/detect/utf8.hpp"

namespace understudy::s2 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Detector& detector() {
  static const Detector made = *Detector::create();
  return made;
}

// The stretches of the text itself: the escaped form, where it is escaped.
std::vector<std::string> found(std::string_view text) {
  TextScanner scanner(detector());
  std::vector<std::string> all;
  for (const Entity& entity : scanner.scan(text))
    all.push_back(std::string(to_string(entity.type)) + ":" +
                  std::string(text.substr(entity.begin, entity.end - entity.begin)));
  return all;
}

TEST(TextScanner, GivesPlacesOfTheTextAsItIs) {
  EXPECT_THAT(found(R"({"a":"x \u00e9 \"bob@acme.com\""})"), ElementsAre("email:bob@acme.com"));
  EXPECT_THAT(found(R"({"arguments":"{\"mail\": \"j\\u00fcrgen@x.de\"}"})"),
              ElementsAre(R"(email:j\\u00fcrgen@x.de)"));
  EXPECT_THAT(found(R"({"phone": 4155552671})"), ElementsAre("phone:4155552671"));
}

TEST(TextScanner, OpensEncodedStrings) {
  EXPECT_THAT(found(R"(["Ym9iLmpvbmVzQGFjbWUuY29t"])"),
              ElementsAre("email:Ym9iLmpvbmVzQGFjbWUuY29t"));
  EXPECT_THAT(found(R"(["mail%3Dbob.jones%40acme.com"])"),
              ElementsAre("email:mail%3Dbob.jones%40acme.com"));
}

TEST(TextScanner, TakesASiblingsNameForAKeyInEitherOrder) {
  EXPECT_THAT(found(R"({"name":"phone","value":"4155552671"})"), ElementsAre("phone:4155552671"));
  EXPECT_THAT(found(R"({"value":"4155552671","name":"phone"})"), ElementsAre("phone:4155552671"));
  EXPECT_THAT(found(R"({"value":"4155552671","name":"order"})"), IsEmpty());
}

TEST(TextScanner, RemembersRepeatedStringsUnderTheirKeyOnly) {
  TextScanner scanner(detector());
  const std::string line =
      R"({"a":"a long string that holds bob@acme.com","b":"a long string that holds bob@acme.com"})";
  EXPECT_EQ(scanner.scan(line).size(), 2U);
  EXPECT_EQ(scanner.scan(line).size(), 2U);
  EXPECT_EQ(scanner.counts().repeated_leaves, 2U);
}

TEST(TextScanner, CopesWithDeepAndBrokenJson) {
  const std::string deep = std::string(1000, '[') + R"("bob@acme.com")" + std::string(1000, ']');
  EXPECT_THAT(found(deep), ElementsAre("email:bob@acme.com"));
  EXPECT_THAT(found(R"({"a": "bob@acme.com", })"), ElementsAre("email:bob@acme.com"));
  EXPECT_THAT(found(std::string(100'000, '[')), IsEmpty());
  EXPECT_THAT(found("{\"a\":\"\\ud800 bob@acme.com\"}"), ElementsAre("email:bob@acme.com"));
}

TEST(TextScanner, IsLinearInLongStrings) {
  std::string text;
  while (text.size() < 10'000'000) text += "token: a-b.c@ 12 Elm (curl) key= ";
  EXPECT_THAT(found(text), testing::SizeIs(testing::Ge(0U)));
}

TEST(Utf8, RepairsAsTheStandardSays) {
  EXPECT_EQ(repair_utf8("plain \xc3\xa9 \xf0\x9f\x98\x80"), std::nullopt);
  EXPECT_EQ(repair_utf8("a\xff"
                        "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(repair_utf8("\xe2\x82"), "\xef\xbf\xbd");
  EXPECT_EQ(repair_utf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Utf8, CountsCodePoints) {
  CodePoints points(
      "\xc3\xa9"
      "a\xf0\x9f\x98\x80"
      "b");
  EXPECT_EQ(points.before(2), 1U);
  EXPECT_EQ(points.before(7), 3U);
  EXPECT_EQ(points.before(3), 2U) << "also backwards";
}

TEST(CustomRules, AddAndKeep) {
  const auto rules = parse_custom_rules(R"(
[[curate.rule]]
name = "ticket"
pattern = "TCK-[0-9]{4,8}"
[[curate.rule]]
name = "our own domain"
pattern = "[a-z]+@corp\\.example"
action = "keep"
)");
  ASSERT_TRUE(rules.has_value());
  const Detector own = *Detector::create({.rules = *rules});
  const auto entities =
      own.detect({.text = "TCK-123456 of info@corp.example and bob@acme.com", .key = {}});
  ASSERT_EQ(entities.size(), 2U);
  EXPECT_EQ(entities[0].kind, "ticket");
  EXPECT_EQ(entities[0].end, 10U) << "the longest match";
  EXPECT_EQ(entities[1].value, "bob@acme.com");
}

TEST(CustomRules, SayWhatIsWrongAndWhere) {
  for (const char* wrong :
       {"[curate]\nrule = 3", "[[curate.rule]]\nname = \"a\"", "[[curate.rule]]\nfoo = \"a\"",
        "[[curate.rule]]\nname = \"a\"\npattern = \"b\"\ntype = \"NO_TYPE\"", "[["}) {
    const auto rules = parse_custom_rules(wrong);
    ASSERT_FALSE(rules.has_value()) << wrong;
    EXPECT_THAT(rules.error().message, testing::StartsWith("understudy.toml:")) << wrong;
  }
}

}  // namespace
}  // namespace understudy::s2
