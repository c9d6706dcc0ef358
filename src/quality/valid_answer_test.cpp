#include "quality/valid_answer.hpp"

#include <gtest/gtest.h>

namespace understudy::quality {
namespace {

const std::vector<std::string> labels = {"bug", "praise"};
const AnswerShape shape = answer_shape(*json::parse(R"({
  "tools":[{"function":{"name":"refund"}},{"function":{"name":"track"}},
           {"name":"book","input_schema":{"required":["time"]}}],
  "response_format":{"type":"json_schema","json_schema":{"schema":{
    "type":["object","array"],"properties":{"a":{"type":["integer","object"]}}}}}})"));

bool valid(const Answer& answer, AnswerForm form) {
  return is_valid(answer, {.form = form, .answer_set = labels, .shape = shape});
}

Answer said(std::string text) { return {.text = std::move(text), .tool_calls = {}}; }
Answer called(std::string name, std::string arguments) {
  return {.text = {},
          .tool_calls = {{.id = {}, .name = std::move(name), .arguments = std::move(arguments)}}};
}

TEST(ValidAnswer, ALabelIsOneOfTheSetInAnySpelling) {
  EXPECT_TRUE(valid(said("Bug"), AnswerForm::label));
  EXPECT_FALSE(valid(said("insult"), AnswerForm::label));
  EXPECT_FALSE(valid(called("refund", "{}"), AnswerForm::label));
}

TEST(ValidAnswer, JsonParses) {
  EXPECT_TRUE(valid(said(R"({"a":1})"), AnswerForm::json));
  EXPECT_FALSE(valid(said(R"({"a":1)"), AnswerForm::json));
  EXPECT_FALSE(valid(said(R"({"a":"one"})"), AnswerForm::json)) << "not by the request's schema";
}

TEST(ValidAnswer, AToolIsOneOfThoseOfferedWithAnObjectAsArguments) {
  EXPECT_TRUE(valid(called("refund", R"({"order":"A1"})"), AnswerForm::tool_call));
  EXPECT_FALSE(valid(called("delete", "{}"), AnswerForm::tool_call));
  EXPECT_FALSE(valid(called("refund", "[]"), AnswerForm::tool_call));
  EXPECT_FALSE(valid(called("refund", "{"), AnswerForm::tool_call));
  EXPECT_FALSE(valid(said("refund"), AnswerForm::tool_call));
  EXPECT_TRUE(valid(called("book", R"({"time":"12:30"})"), AnswerForm::tool_call));
  EXPECT_FALSE(valid(called("book", R"({"date":"2027-03-16"})"), AnswerForm::tool_call));
}

// A small model that loses its thread says a member twice and leaves another out.
TEST(ValidAnswer, AMemberThatIsSaidTwiceIsNoAnswer) {
  EXPECT_FALSE(
      valid(called("refund", R"({"time":"Kai Ortiz","time":"12:30"})"), AnswerForm::tool_call));
  EXPECT_FALSE(valid(said(R"({"a":{"b":1,"\u0062":2}})"), AnswerForm::json));
  EXPECT_TRUE(valid(said(R"([{"a":1},{"a":{"a":2}}])"), AnswerForm::json));
}

TEST(ValidAnswer, NothingIsNeverAnAnswer) {
  for (const auto form :
       {AnswerForm::label, AnswerForm::json, AnswerForm::tool_call, AnswerForm::text})
    EXPECT_FALSE(valid({}, form));
}

}  // namespace
}  // namespace understudy::quality
