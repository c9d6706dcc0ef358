#include "quality/answer_grammar.hpp"

#include <gtest/gtest.h>

#include <string>

namespace understudy::quality {
namespace {

// What llama.cpp makes of these grammars is tested where libllama is: adapters/lm/library.

TEST(AnswerGrammar, HoldsNothingWhereThereIsNothingToHoldTo) {
  EXPECT_TRUE(answer_grammar(AnswerForm::label, {}).empty());
  EXPECT_TRUE(answer_grammar(AnswerForm::text, {}).empty());
  EXPECT_TRUE(answer_grammar(AnswerForm::tool_call, {}).empty()) << "no tools are offered";
}

TEST(AnswerGrammar, AsksForRequiredMembersInCanonicalOrder) {
  const AnswerShape shape = answer_shape(*json::parse(R"({"tools":[{"function":{"name":"book",
    "parameters":{"type":"object","required":["who","day"],
      "properties":{"who":{"type":"string"},"day":{"enum":["mon","tue"]},"seats":{"type":"integer"}}}}}]})"));
  const std::string grammar = answer_grammar(AnswerForm::tool_call, shape);
  EXPECT_TRUE(grammar.contains(R"(call ::= "<tool>" ("book " r)")) << grammar;
  EXPECT_TRUE(grammar.contains(R"("\"mon\"" | "\"tue\"" | pointed)")) << grammar;
  const std::size_t day = grammar.find(R"( ::= "\"day\"")");
  EXPECT_NE(day, std::string::npos) << "the first member, without a way past it\n" << grammar;
}

TEST(AnswerGrammar, ASchemaThatRefersToItselfEnds) {
  const AnswerShape shape{.tools = {},
                          .text = *json::parse(R"({"anyOf":[{"$ref":"#"},{"type":"array",
                            "items":{"$ref":"#/anyOf/1"}}]})")};
  EXPECT_FALSE(answer_grammar(AnswerForm::json, shape).empty());
}

}  // namespace
}  // namespace understudy::quality
