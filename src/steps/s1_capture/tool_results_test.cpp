#include "steps/s1_capture/tool_results.hpp"

#include <gtest/gtest.h>

#include <string>

namespace understudy::s1 {
namespace {

const std::string kUser = R"({"role":"user","content":"To Oslo, please."})";
const std::string kAsk = R"(,{"role":"assistant","tool_calls":[{"id":"t1","type":"function",)"
                         R"("function":{"name":"find","arguments":"{}"}}]})";
const std::string kTool = R"(,{"role":"tool","tool_call_id":"t1","content":"two flights"})";

std::vector<ToolResult> results_of(wire::Api api, const std::string& body) {
  const auto scan = wire::scan_request(api, std::string_view(body));
  EXPECT_TRUE(scan);
  return scan ? tool_results(api, *scan, body) : std::vector<ToolResult>();
}

TEST(ToolResults, AreThoseOfTheLastAnswerWithTheirToolsNames) {
  const auto chat =
      results_of(wire::Api::chat_completions,
                 R"({"model":"m","messages":[{"role":"system","content":"Be brief."},)" + kUser +
                     kAsk + kTool + "]}");
  ASSERT_EQ(chat.size(), 1U);
  EXPECT_EQ(chat[0].tool_call_id, "t1");
  EXPECT_EQ(chat[0].tool, "find");
  EXPECT_EQ(chat[0].item, 3);

  const auto messages = results_of(
      wire::Api::messages,
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},)"
      R"({"role":"assistant","content":[{"type":"tool_use","id":"u1","name":"look","input":{}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"u1","content":"y"}]}]})");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].tool, "look");

  const auto responses =
      results_of(wire::Api::responses,
                 R"({"model":"m","input":[{"role":"user","content":"x"},)"
                 R"({"type":"function_call","call_id":"c1","name":"calc","arguments":"{}"},)"
                 R"({"type":"function_call_output","call_id":"c1","output":"4"}]})");
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].tool, "calc");
  EXPECT_EQ(responses[0].item, 2);
}

TEST(ToolResults, OldOnesAreNotReportedAgain) {
  EXPECT_TRUE(
      results_of(wire::Api::chat_completions,
                 R"({"model":"m","messages":[)" + kUser + kAsk + kTool +
                     R"(,{"role":"assistant","content":"ok"},{"role":"user","content":"z"}]})")
          .empty());
}

TEST(ToolResults, ACallThatNobodyMadeHasNoName) {
  const auto results = results_of(wire::Api::chat_completions,
                                  R"({"model":"m","messages":[)" + kUser + kTool + "]}");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].tool_call_id, "t1");
  EXPECT_EQ(results[0].tool, "");
}

}  // namespace
}  // namespace understudy::s1
