#include "records/prompt_template.hpp"

#include <gtest/gtest.h>

#include <random>

namespace understudy {
namespace {

PromptTemplate made(std::vector<std::string> constants) {
  auto result = PromptTemplate::create(std::move(constants));
  EXPECT_TRUE(result.has_value());
  return result.value_or(PromptTemplate{});
}

TEST(PromptTemplate, RenderingTheSlotsGivesThePromptBack) {
  std::mt19937 random(11);
  const auto text = [&](std::size_t length_max) {
    std::string made_up;
    for (std::size_t i = random() % (length_max + 1); i > 0; --i)
      made_up += static_cast<char>('a' + random() % 3);
    return made_up;
  };
  int matched = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> constants = {text(2)};
    for (std::size_t i = random() % 4; i > 0; --i) constants.push_back("a" + text(2));
    constants.push_back(text(2));
    const PromptTemplate shape = made(constants);
    const std::string prompt = text(14);
    if (const auto slots = shape.match(prompt)) {
      ++matched;
      EXPECT_EQ(shape.render(*slots), prompt);
    }
    std::vector<std::string> slots;
    for (std::size_t i = 0; i < shape.slot_count(); ++i) slots.push_back(text(3));
    const std::string rendered = shape.render(slots);
    const auto found = shape.match(rendered);
    ASSERT_TRUE(found.has_value()) << rendered;
    EXPECT_EQ(shape.render(*found), rendered);
  }
  EXPECT_GT(matched, 100);
}

TEST(PromptTemplate, AmbiguousConstantsAreTakenAtTheirFirstPlace) {
  const auto slots = made({"", " and ", ""}).match("a and b and c");
  ASSERT_TRUE(slots.has_value());
  EXPECT_EQ(*slots, (std::vector<std::string>{"a", "b and c"}));
}

TEST(PromptTemplate, EmptyEndsMakeTheFirstAndLastSlotOpen) {
  const auto slots = made({"", ": ", ""}).match("to: me");
  ASSERT_TRUE(slots.has_value());
  EXPECT_EQ(*slots, (std::vector<std::string>{"to", "me"}));
  EXPECT_EQ(made({"", ""}).match("anything")->front(), "anything");
}

TEST(PromptTemplate, TheEndsMayNotOverlap) {
  EXPECT_FALSE(made({"aba", "bab"}).match("abab").has_value());
  EXPECT_TRUE(made({"aba", "bab"}).match("ababab").has_value());
  EXPECT_FALSE(made({"x", "y", "y"}).match("xy").has_value());
}

TEST(PromptTemplate, WithoutSlotsOnlyTheTextItselfMatches) {
  EXPECT_TRUE(made({"hello"}).match("hello").has_value());
  EXPECT_FALSE(made({"hello"}).match("hello!").has_value());
  EXPECT_FALSE(PromptTemplate{}.match("").has_value());
}

TEST(PromptTemplate, RefusesTouchingSlotsAndTooManyOfThem) {
  EXPECT_EQ(PromptTemplate::create({"a", "", "b"}).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(PromptTemplate::create(std::vector<std::string>(1000, "x")).error().code,
            ErrorCode::exhausted);
}

TEST(PromptTemplate, TextForPeopleNumbersTheSlotsAndDoublesBraces) {
  EXPECT_EQ(made({"Fill {", "} for ", ""}).to_text(), "Fill {{{0}}} for {1}");
}

TEST(PromptTemplate, SurvivesJsonAndRefusesDamage) {
  const PromptTemplate shape = made({"Klassifiziere \"", "\"\n", ""});
  const auto back = prompt_template_from_json(to_json(shape));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, shape);
  EXPECT_FALSE(prompt_template_from_json(json::parse("{}").value()).has_value());
  EXPECT_FALSE(prompt_template_from_json(json::parse(R"({"constants":[1]})").value()).has_value());
}

}  // namespace
}  // namespace understudy
