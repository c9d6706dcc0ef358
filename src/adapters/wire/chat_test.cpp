#include "adapters/wire/chat.hpp"

#include <gmock/gmock.h>

namespace understudy::wire {
namespace {

using testing::ElementsAre;

ChatRequest parsed(std::string_view text) {
  Result<ChatRequest> request = parse_chat_request(*json::parse(text));
  EXPECT_TRUE(request);
  return request ? *request : ChatRequest{};
}

TEST(PromptText, ShowsRolesPartsAndToolCalls) {
  EXPECT_EQ(prompt_text(*json::parse(R"({"messages":[
      {"role":"system","content":"Be brief."},
      {"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{}}]},
      {"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"1","content":"found"}]})")),
            "<|system|>\nBe brief.\n<|user|>\nLook<|image_url|>\n<|assistant|>\n\n<|call|>f {}\n"
            "<|tool|>\nfound\n");
}

TEST(PromptText, ReadsAnthropicParts) {
  EXPECT_EQ(prompt_text(*json::parse(R"({"messages":[
      {"role":"assistant","content":[{"type":"tool_use","name":"f","input":{"a":1}}]},
      {"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"ok"}]}]}]})")),
            "<|assistant|>\n\n<|call|>f {\"a\":1}\n<|user|>\nok\n");
}

TEST(ChatRequest, SortsToolsAndNamesTheResponseForm) {
  const ChatRequest request =
      parsed(R"({"model":"m","stream":true,"stream_options":{"include_usage":true},
      "tools":[{"function":{"name":"b"}},{"function":{"name":"a"}}],"tool_choice":"none",
      "response_format":{"type":"json_object"},"messages":[{"role":"user","content":"x"}]})");
  EXPECT_THAT(request.tool_names, ElementsAre("a", "b"));
  EXPECT_EQ(request.response_form, "json_object");
  EXPECT_EQ(request.tool_choice, "none");
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.include_usage);
  EXPECT_EQ(request.beyond_slm, "");
}

TEST(ChatRequest, SaysWhatASmallModelMustNotAnswer) {
  for (const char* extra : {R"("n":2)", R"("logprobs":true)", R"("functions":[])",
                            R"("tool_choice":{"type":"function","function":{"name":"f"}})"}) {
    const std::string text =
        std::string(R"({"messages":[{"role":"user","content":"x"}],)") + extra + "}";
    EXPECT_NE(parsed(text).beyond_slm, "") << extra;
  }
}

TEST(ChatRequest, RefusesWhatIsNoConversation) {
  for (const char* text :
       {"[]", "{}", R"({"messages":[]})", R"({"messages":"x"})", R"({"messages":[1]})"})
    EXPECT_FALSE(parse_chat_request(*json::parse(text))) << text;
}

TEST(Answer, IsReadBackFromACompletion) {
  const Answer answer{.text = "", .tool_calls = {{"", "f", R"({"a":1})"}}};
  const json::value body =
      to_chat_completion(answer, {.id = "c", .model = "m", .created_s = 1, .usage = {2, 3}});
  EXPECT_EQ(parse_answer(body)->tool_calls.at(0).arguments, R"({"a":1})");
  EXPECT_NE(parse_answer(body)->tool_calls.at(0).id, "");
  EXPECT_EQ(body.at("usage").at("total_tokens"), 5);
}

TEST(ErrorLabel, HoldsTypeAndCodeOnly) {
  EXPECT_EQ(error_label(*json::parse(error_body("secret words", "invalid_request_error", "bad"))),
            "invalid_request_error/bad");
  EXPECT_EQ(error_label(
                *json::parse(R"({"object":"error","message":"m","type":"BadRequest","code":400})")),
            "BadRequest/400");
  EXPECT_EQ(error_label(*json::parse("{}")), "");
}

}  // namespace
}  // namespace understudy::wire
