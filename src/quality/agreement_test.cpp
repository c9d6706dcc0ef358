#include "quality/agreement.hpp"

#include <gtest/gtest.h>

#include <array>

namespace understudy::quality {
namespace {

Answer said(std::string text) { return {.text = std::move(text), .tool_calls = {}}; }
Answer called(std::string name, std::string arguments) {
  return {.text = {},
          .tool_calls = {{.id = "x", .name = std::move(name), .arguments = std::move(arguments)}}};
}

TEST(Agreement, LabelsAgreeWithoutCaseAndOuterSpace) {
  EXPECT_TRUE(agrees(said("Refund\n"), said("refund"), AnswerForm::label));
  EXPECT_FALSE(agrees(said("refund"), said("return"), AnswerForm::label));
}

TEST(Agreement, JsonAgreesInAnyKeyOrder) {
  EXPECT_TRUE(
      agrees(said(R"({"a": 1, "b": [2]})"), said(R"({"b":[2],"a":1.0})"), AnswerForm::json));
  EXPECT_FALSE(agrees(said(R"({"a": 1})"), said(R"({"a": "1"})"), AnswerForm::json));
  EXPECT_FALSE(agrees(said(R"({"a": [1,2]})"), said(R"({"a": [2,1]})"), AnswerForm::json));
}

TEST(Agreement, ToolCallsAgreeByNameAndArgumentsNotById) {
  Answer other_id = called("refund", R"({"order": "A1", "all": true})");
  other_id.tool_calls[0].id = "y";
  EXPECT_TRUE(
      agrees(called("refund", R"({"all":true,"order":"A1"})"), other_id, AnswerForm::tool_call));
  EXPECT_FALSE(agrees(called("refund", R"({"order":"A2"})"), called("refund", R"({"order":"A1"})"),
                      AnswerForm::tool_call));
  EXPECT_FALSE(agrees(called("refund", "{}"), called("cancel", "{}"), AnswerForm::tool_call));
}

TEST(Agreement, NumbersAgreeWithinATolerance) {
  EXPECT_TRUE(
      agrees(said(R"({"a": 0.3})"), said(R"({"a": 0.30000000000000004})"), AnswerForm::json));
  EXPECT_FALSE(agrees(said(R"({"a": 0.3})"), said(R"({"a": 0.301})"), AnswerForm::json));
  EXPECT_FALSE(agrees(said(R"({"a": 0})"), said(R"({"a": 0.0001})"), AnswerForm::json));
}

TEST(Agreement, ParallelToolCallsAreASet) {
  Answer teacher = called("look", R"({"id": 1})");
  teacher.tool_calls.push_back({.id = "y", .name = "look", .arguments = R"({"id": 2})"});
  Answer student = called("look", R"({"id": 2.0})");
  EXPECT_FALSE(agrees(teacher, student, AnswerForm::tool_call));
  student.tool_calls.push_back({.id = "z", .name = "look", .arguments = R"({"id": 1})"});
  EXPECT_TRUE(agrees(teacher, student, AnswerForm::tool_call));
  student.tool_calls[1] = student.tool_calls[0];
  EXPECT_FALSE(agrees(teacher, student, AnswerForm::tool_call));
}

TEST(Agreement, TheToolsSchemaSaysWhatIsTheSame) {
  const auto request = json::parse(R"({"tools":[{"type":"function","function":{"name":"book",
    "parameters":{"type":"object","required":["day"],"properties":{
      "seats":{"type":"integer","default":1},"day":{"type":"string"},"note":{"type":"string"},
      "tags":{"type":"array","uniqueItems":true,"items":{"type":"string"}}}}}}]})");
  ASSERT_TRUE(request);
  const AnswerShape shape = answer_shape(*request);
  const auto same = [&](std::string left, std::string right) {
    return agrees(called("book", std::move(left)), called("book", std::move(right)),
                  AnswerForm::tool_call, shape);
  };
  EXPECT_TRUE(same(R"({"day":"mon","seats":1})", R"({"day":"mon"})"));
  EXPECT_FALSE(same(R"({"day":"mon","seats":2})", R"({"day":"mon"})"));
  EXPECT_TRUE(same(R"({"day":"mon","seats":"2"})", R"({"day":"mon","seats":2})"));
  EXPECT_FALSE(same(R"({"day":"1"})", R"({"day":1})"));
  EXPECT_TRUE(same(R"({"day":"mon","note":null})", R"({"day":"mon"})"));
  EXPECT_FALSE(same(R"({"day":null})", R"({})"));
  EXPECT_TRUE(same(R"({"day":"mon","tags":["a","b"]})", R"({"day":"mon","tags":["b","a"]})"));
  EXPECT_FALSE(same(R"({"day":"mon","tags":["a","a"]})", R"({"day":"mon","tags":["a","b"]})"));
}

TEST(Agreement, AToolCallNeverAgreesWithProse) {
  EXPECT_FALSE(agrees(called("refund", "{}"), said("refund {}"), AnswerForm::tool_call));
}

TEST(Agreement, AnEmptyAnswerAgreesWithNothing) {
  EXPECT_FALSE(agrees(said(""), said(""), AnswerForm::text));
}

TEST(Agreement, MeasuresOnlyWhatIsKept) {
  const std::array<Judged, 4> calls{{{0.9, true}, {0.8, false}, {0.5, true}, {0.0, false}}};
  const Agreement agreement = measure(calls, 0.5);
  EXPECT_EQ(agreement.calls, 4);
  EXPECT_EQ(agreement.kept, 3);
  EXPECT_EQ(agreement.agreed, 2);
  EXPECT_LT(agreement.lower, agreement.rate());
  EXPECT_GT(agreement.upper, agreement.rate());
}

}  // namespace
}  // namespace understudy::quality
