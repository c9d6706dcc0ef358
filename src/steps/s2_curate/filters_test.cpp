#include "steps/s2_curate/filters.hpp"

#include <gtest/gtest.h>

namespace understudy::s2 {
namespace {

const json::value request = *json::parse(R"({"messages":[{"role":"user","content":"q"}],
  "tools":[{"type":"function","function":{"name":"book","parameters":{"type":"object",
    "properties":{"seats":{"type":"integer"},"class":{"enum":["economy","business"]},
      "names":{"type":"array","items":{"$ref":"#/$defs/name"}}},
    "required":["seats"],"additionalProperties":false,"$defs":{"name":{"type":"string"}}}}}]})");

DropReason reason_for(const json::value& asked, const Answer& answer) {
  return reason_to_drop(asked, answer, FilterOptions{});
}

DropReason reason_for_call(std::string name, std::string arguments) {
  return reason_for(
      request,
      {.text = "",
       .tool_calls = {{.id = "1", .name = std::move(name), .arguments = std::move(arguments)}}});
}

TEST(Filters, DropToolCallsThatBreakTheirSchema) {
  EXPECT_EQ(reason_for_call("book", R"({"seats":2,"class":"economy","names":["Jo"]})"),
            DropReason::none);
  for (const char* arguments : {R"({"seats":"two"})", R"({"seats":2.5})", R"({"class":"economy"})",
                                R"({"seats":1,"class":"first"})", R"({"seats":1,"names":[7]})",
                                R"({"seats":1,"more":1})", R"({"seats":)", "[]"}) {
    EXPECT_EQ(reason_for_call("book", arguments), DropReason::bad_tool_call) << arguments;
  }
  EXPECT_EQ(reason_for_call("cancel", "{}"), DropReason::bad_tool_call) << "never offered";
}

TEST(Filters, DropRefusalsButNoAnswersThatMentionOne) {
  const auto of = [](std::string text) {
    return reason_for(request, {.text = std::move(text), .tool_calls = {}});
  };
  EXPECT_EQ(of("I'm sorry, but I can't assist with that request."), DropReason::refusal);
  EXPECT_EQ(of("I\xe2\x80\x99m sorry, but I can\xe2\x80\x99t help with that."),
            DropReason::refusal);
  EXPECT_EQ(of("I'm sorry to hear that! Your refund is on its way."), DropReason::none);
  EXPECT_EQ(of("I cannot find a flight on that day; shall I look at the next?"), DropReason::none);
}

TEST(Filters, DropTheThirdEqualToolCallInARow) {
  json::value again = request;
  json::array& messages = again.at("messages").as_array();
  const json::value call = *json::parse(
      R"({"role":"assistant","tool_calls":[{"id":"x","function":{"name":"book","arguments":"{\"seats\": 1}"}}]})");
  const Answer answer{.text = "",
                      .tool_calls = {{.id = "y", .name = "book", .arguments = R"({"seats":1})"}}};
  messages.push_back(call);
  messages.push_back({{"role", "tool"}, {"content", "failed"}});
  EXPECT_EQ(reason_for(again, answer), DropReason::none) << "the second time is a retry";
  messages.push_back(call);
  messages.push_back({{"role", "tool"}, {"content", "failed"}});
  EXPECT_EQ(reason_for(again, answer), DropReason::loop);
}

TEST(Filters, DropWhatIsNoJsonWhereJsonWasAskedFor) {
  json::value asked = request;
  asked.as_object()["response_format"] = {{"type", "json_object"}};
  EXPECT_EQ(reason_for(asked, {.text = "{\"a\":1}", .tool_calls = {}}), DropReason::none);
  EXPECT_EQ(reason_for(asked, {.text = "Sure: {", .tool_calls = {}}),
            DropReason::unparsable_output);
}

TEST(Filters, DropCallsOfSessionsThatFailed) {
  Call call;
  call.response = SecretText("{}");
  call.reward = 0.0;
  EXPECT_EQ(reason_to_drop(call, FilterOptions{}), DropReason::failed_session);
  EXPECT_EQ(reason_to_drop(call, FilterOptions{.reward_above = {}}), DropReason::none);
  call.reward = 1.0;
  EXPECT_EQ(reason_to_drop(call, FilterOptions{}), DropReason::none);
}

}  // namespace
}  // namespace understudy::s2
