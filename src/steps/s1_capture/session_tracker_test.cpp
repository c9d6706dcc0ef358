#include "steps/s1_capture/session_tracker.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.hpp"

namespace understudy::s1 {
namespace {

class SessionTrackerTest : public ::testing::Test {
 protected:
  Call place(const std::string& messages, std::string_view named = {}, std::string tenant = {}) {
    const std::string body = R"({"model":"m","messages":[)" + messages + "]}";
    const auto scan = wire::scan_request(wire::Api::chat_completions, std::string_view(body));
    EXPECT_TRUE(scan);
    Call call;
    call.id = {"call-" + std::to_string(++calls_)};
    call.origin.tenant = std::move(tenant);
    tracker_.place(*scan, body, named, call);
    return call;
  }

  int calls_ = 0;
  SessionTracker tracker_{Pseudonyms(SecretText(std::string(32, 'k')))};
};

const std::string kSystem = R"({"role":"system","content":"You book flights."},)";
const std::string kUser = R"({"role":"user","content":"To Oslo, please."})";
const std::string kAsk = R"(,{"role":"assistant","tool_calls":[{"id":"t1","type":"function",)"
                         R"("function":{"name":"find","arguments":"{}"}}]})";
const std::string kTool = R"(,{"role":"tool","tool_call_id":"t1","content":"two flights"})";

TEST_F(SessionTrackerTest, AConversationThatGoesOnIsOneSession) {
  const Call first = place(kSystem + kUser);
  EXPECT_TRUE(first.parent.empty());
  EXPECT_EQ(first.step, 0);
  const Call second = place(kSystem + kUser + kAsk + kTool);
  EXPECT_EQ(second.session, first.session);
  EXPECT_EQ(second.parent, first.id);
  EXPECT_EQ(second.step, 1);
  const Call third = place(kSystem + kUser + kAsk + kTool +
                           R"(,{"role":"assistant","content":"Which?"},{"role":"user","content":"B"})");
  EXPECT_EQ(third.session, first.session);
  EXPECT_EQ(third.parent, second.id);
  EXPECT_EQ(third.step, 2);
}

TEST_F(SessionTrackerTest, InterleavedSessionsStayApart) {
  const std::string other = R"({"role":"user","content":"To Rome, please."})";
  const Call oslo = place(kSystem + kUser);
  const Call rome = place(kSystem + other);
  EXPECT_NE(oslo.session, rome.session);
  EXPECT_EQ(place(kSystem + other + kAsk + kTool).parent, rome.id);
  EXPECT_EQ(place(kSystem + kUser + kAsk + kTool).parent, oslo.id);
}

TEST_F(SessionTrackerTest, ASecondRunWithTheSameOpeningIsAnotherSession) {
  const Call one = place(kSystem + kUser);
  const Call two = place(kSystem + kUser);
  EXPECT_NE(one.session, two.session);
  EXPECT_EQ(place(kSystem + kUser + kAsk + kTool).session, two.session) << "the latest goes on";
}

TEST_F(SessionTrackerTest, ARepeatedStepHasTheSameParent) {
  const Call first = place(kSystem + kUser);
  const Call second = place(kSystem + kUser + kAsk + kTool);
  const Call again = place(kSystem + kUser + kAsk + kTool);
  EXPECT_EQ(again.parent, first.id);
  EXPECT_EQ(again.session, second.session);
  EXPECT_EQ(again.step, second.step);
}

TEST_F(SessionTrackerTest, AnEditedHistoryGoesOnFromWhereItIsTheSame) {
  const Call first = place(kSystem + kUser);
  place(kSystem + kUser + kAsk + kTool);
  const Call edited =
      place(kSystem + kUser + R"(,{"role":"assistant","content":"Sure."},{"role":"user","content":"Go"})");
  EXPECT_EQ(edited.parent, first.id);
  EXPECT_EQ(edited.step, 1);
}

TEST_F(SessionTrackerTest, AMessageThatTheModelDidNotAnswerOpensASession) {
  const Call first = place(kSystem + kUser);
  const Call more = place(kSystem + kUser + R"(,{"role":"user","content":"And back."})");
  EXPECT_TRUE(more.parent.empty());
  EXPECT_EQ(more.step, 0);
  static_cast<void>(first);
}

TEST_F(SessionTrackerTest, TheHeadersNameWinsAndTenantsNeverMeet) {
  EXPECT_EQ(place(kSystem + kUser, "run-7").session.value, "run-7");
  EXPECT_EQ(place(kSystem + kUser + kAsk + kTool, "run-7").step, 1);
  const Call one = place(kSystem + kUser, {}, "tenant-1");
  const Call two = place(kSystem + kUser + kAsk + kTool, {}, "tenant-2");
  EXPECT_NE(one.session, two.session);
  EXPECT_TRUE(two.parent.empty());
}

TEST_F(SessionTrackerTest, TheNameOfASessionSurvivesARestart) {
  const Call before = place(kSystem + kUser);
  SessionTracker restarted{Pseudonyms(SecretText(std::string(32, 'k')))};
  const std::string body = R"({"model":"m","messages":[)" + kSystem + kUser + kAsk + kTool + "]}";
  const auto scan = wire::scan_request(wire::Api::chat_completions, std::string_view(body));
  Call after;
  after.id = {"later"};
  restarted.place(*scan, body, {}, after);
  EXPECT_EQ(after.session, before.session);
}

TEST_F(SessionTrackerTest, OldConversationsAreForgottenAndMemoryIsBounded) {
  const Call first = place(kSystem + kUser);
  for (std::size_t i = 0; i < limits::tracked_conversations_max; ++i)
    place(R"({"role":"user","content":")" + std::to_string(i) + R"("})");
  EXPECT_TRUE(place(kSystem + kUser + kAsk + kTool).parent.empty());
  static_cast<void>(first);
}

std::vector<ToolResult> results_of(wire::Api api, const std::string& body) {
  const auto scan = wire::scan_request(api, std::string_view(body));
  EXPECT_TRUE(scan);
  return scan ? tool_results(api, *scan, body) : std::vector<ToolResult>();
}

TEST(ToolResults, AreThoseOfTheLastAnswerWithTheirToolsNames) {
  const auto chat = results_of(wire::Api::chat_completions,
                               R"({"model":"m","messages":[)" + kSystem + kUser + kAsk + kTool + "]}");
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

  const auto responses = results_of(
      wire::Api::responses,
      R"({"model":"m","input":[{"role":"user","content":"x"},)"
      R"({"type":"function_call","call_id":"c1","name":"calc","arguments":"{}"},)"
      R"({"type":"function_call_output","call_id":"c1","output":"4"}]})");
  ASSERT_EQ(responses.size(), 1U);
  EXPECT_EQ(responses[0].tool, "calc");
  EXPECT_EQ(responses[0].item, 2);
}

TEST(ToolResults, OldOnesAreNotReportedAgain) {
  EXPECT_TRUE(results_of(wire::Api::chat_completions,
                         R"({"model":"m","messages":[)" + kUser + kAsk + kTool +
                             R"(,{"role":"assistant","content":"ok"},{"role":"user","content":"z"}]})")
                  .empty());
}

}  // namespace
}  // namespace understudy::s1
