#include "steps/s2_curate/chat_call.hpp"

#include <gmock/gmock.h>

#include "steps/s2_curate/curate_calls.hpp"

namespace understudy::s2 {
namespace {

using ::testing::HasSubstr;

Call make_call(std::string id, std::string api, std::string request, std::string response) {
  Call call;
  call.id = {std::move(id)};
  call.session = {"s-" + call.id.value};
  call.api = std::move(api);
  call.request = SecretText(std::move(request));
  call.response = SecretText(std::move(response));
  return call;
}

// The same question and answer through four APIs.
std::vector<Call> one_call_through_every_api() {
  return {
      make_call(
          "chat", "chat.completions",
          R"({"model":"m","messages":[{"role":"user","content":"mail mary@acme.com"}]})",
          R"({"choices":[{"index":0,"message":{"role":"assistant","content":"sent"},"finish_reason":"stop"}]})"),
      make_call(
          "messages", "messages",
          R"({"model":"m","max_tokens":64,"messages":[{"role":"user","content":[{"type":"text","text":"mail mary@acme.com"}]}]})",
          R"({"type":"message","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"sent"}],"stop_reason":"end_turn"})"),
      make_call(
          "responses", "responses", R"({"model":"m","input":"mail mary@acme.com"})",
          R"({"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"sent"}]}]})"),
      make_call("completions", "completions", R"({"model":"m","prompt":"mail mary@acme.com"})",
                R"({"choices":[{"index":0,"text":"sent","finish_reason":"stop"}]})"),
  };
}

CuratedCalls curated(std::vector<Call> calls) {
  auto result = curate_calls(std::move(calls), SecretText(std::string(32, 'k')), {.threads = 2});
  EXPECT_TRUE(result) << result.error().to_text();
  return std::move(result).value_or(CuratedCalls{});
}

TEST(ChatCall, ACallOfAnyApiBecomesAnExampleLikeAnyOther) {
  for (const Call& call : one_call_through_every_api()) {
    const CuratedCalls result = curated({call});
    ASSERT_EQ(result.examples.size(), 1U) << call.id.value;
    const json::value request = *json::parse(result.examples[0].request.reveal());
    const std::string text(request.at("messages").at(0).at("role").as_string());
    EXPECT_EQ(text, "user");
    EXPECT_THAT(json::to_text(request), testing::Not(HasSubstr("mary@acme.com")));
    EXPECT_EQ(json::parse(result.examples[0].response.reveal())
                  ->at("choices")
                  .at(0)
                  .at("message")
                  .at("content"),
              "sent");
  }
}

TEST(ChatCall, TheSameCallThroughTwoApisIsADuplicate) {
  std::vector<Call> calls = one_call_through_every_api();
  const CuratedCalls result = curated({calls[0], calls[3], calls[2]});
  ASSERT_EQ(result.examples.size(), 1U);
  EXPECT_EQ(result.examples[0].repeats, 3);
}

TEST(ChatCall, WhatHasNoChatFormIsDroppedWithItsReason) {
  const CuratedCalls result =
      curated({make_call("e", "embeddings", R"({"input":"x"})", R"({"data":[]})"),
               make_call("u", "unheard_of", "{}", "{}"),
               make_call("m", "messages", R"({"model":"m"})", R"({"content":[]})")});
  EXPECT_EQ(result.report.dropped.at("other_api"), 2U);
  EXPECT_EQ(result.report.dropped.at("unparsable"), 1U);
}

TEST(ChatCall, AChatCallKeepsItsBytes) {
  const std::string request = R"({ "messages" : [ {"role":"user","content":"x"} ] , "n":1.0 })";
  Call call = make_call("c", "chat.completions", request, "not even JSON");
  ASSERT_TRUE(to_chat_form(call));
  EXPECT_EQ(call.request.reveal(), request);
}

}  // namespace
}  // namespace understudy::s2
