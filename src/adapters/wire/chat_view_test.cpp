// Golden pairs: a call of each API, and its view as a chat.
#include "adapters/wire/chat_view.hpp"

#include <gmock/gmock.h>

#include "adapters/wire/chat.hpp"

namespace understudy::wire {
namespace {

json::value parsed(std::string_view text) {
  auto tree = json::parse(text);
  EXPECT_TRUE(tree) << text;
  return tree ? *tree : json::value{};
}

json::value request(Api api, std::string_view text) {
  const auto view = to_chat_request(api, parsed(text));
  EXPECT_TRUE(view) << view.error().message;
  return view ? *view : json::value{};
}

json::value response(Api api, std::string_view text) {
  const auto view = to_chat_response(api, parsed(text));
  EXPECT_TRUE(view) << view.error().message;
  return view ? *view : json::value{};
}

TEST(ChatView, OfAResponsesRequest) {
  EXPECT_EQ(
      request(
          Api::responses,
          R"({"model":"gpt-5","instructions":"Be brief.","temperature":0.5,"max_output_tokens":9,"input":[
      {"role":"user","content":[{"type":"input_text","text":"Look: "},{"type":"input_image","image_url":"data:image/png;base64,iV"}]},
      {"type":"reasoning","id":"rs","summary":[]},
      {"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look.","annotations":[]}]},
      {"type":"function_call","call_id":"c1","name":"look","arguments":"{}"},
      {"type":"function_call","call_id":"c2","name":"go","arguments":"{\"a\":1}"},
      {"type":"function_call_output","call_id":"c1","output":"found"},
      {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"gone"}]}],
      "tools":[{"type":"function","name":"look","description":"d","parameters":{"type":"object"},"strict":true},{"type":"web_search"}],
      "tool_choice":{"type":"function","name":"look"},
      "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}}})"),
      parsed(
          R"({"model":"gpt-5","temperature":0.5,"max_tokens":9,"messages":[{"role":"system","content":"Be brief."},
      {"role":"user","content":[{"type":"text","text":"Look: "},{"type":"image_url","image_url":{"url":"data:image/png;base64,iV"}}]},
      {"role":"assistant","content":"I look.","tool_calls":[
        {"id":"c1","type":"function","function":{"name":"look","arguments":"{}"}},
        {"id":"c2","type":"function","function":{"name":"go","arguments":"{\"a\":1}"}}]},
      {"role":"tool","tool_call_id":"c1","content":"found"},{"role":"tool","tool_call_id":"c2","content":"gone"}],
      "tools":[{"type":"function","function":{"name":"look","description":"d","parameters":{"type":"object"},"strict":true}},
               {"type":"function","function":{"name":"web_search"}}],
      "tool_choice":{"type":"function","function":{"name":"look"}},
      "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}})"));
  EXPECT_EQ(request(Api::responses, R"({"model":"m","input":"hi"})").at("messages"),
            parsed(R"([{"role":"user","content":"hi"}])"));
}

TEST(ChatView, OfAResponse) {
  EXPECT_EQ(
      response(
          Api::responses,
          R"({"id":"r","object":"response","created_at":5,"model":"gpt-5","status":"completed","output":[
      {"type":"reasoning","summary":[]},{"type":"message","content":[{"type":"output_text","text":"a"},{"type":"output_text","text":"b"}]},
      {"type":"function_call","call_id":"c","name":"f","arguments":"{}"}],"usage":{"input_tokens":3,"output_tokens":4,"input_tokens_details":{"cached_tokens":1}}})"),
      parsed(
          R"({"id":"r","object":"chat.completion","created":5,"model":"gpt-5","choices":[{"index":0,"message":{"role":"assistant","content":"ab",
      "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],
      "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":1}}})"));
}

TEST(ChatView, OfALegacyCompletion) {
  EXPECT_EQ(
      request(Api::completions, R"({"model":"m","prompt":"Say","temperature":0})"),
      parsed(R"({"model":"m","temperature":0,"messages":[{"role":"user","content":"Say"}]})"));
  EXPECT_EQ(
      response(
          Api::completions,
          R"({"id":"c","object":"text_completion","choices":[{"index":0,"text":"x","finish_reason":"stop"}]})"),
      parsed(
          R"({"id":"c","object":"chat.completion","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"x"}}]})"));
  EXPECT_FALSE(to_chat_request(Api::completions, parsed(R"({"prompt":[[1,2]]})")));
}

TEST(ChatView, OfAnAnthropicCallNeverRefusesAPart) {
  const json::value view =
      request(Api::messages, R"({"model":"c","max_tokens":5,"top_k":3,"system":"s","messages":[
      {"role":"user","content":[{"type":"search_result","x":1},{"type":"text","text":"go"}]},
      {"role":"assistant","content":[{"type":"server_tool_use","id":"s"},{"type":"text","text":"ok"}]},
      {"role":"user","content":"more"}],"tools":[{"type":"web_search_20250305","name":"web_search"}]})");
  EXPECT_EQ(
      view.at("messages").at(1),
      parsed(
          R"({"role":"user","content":[{"type":"search_result"},{"type":"text","text":"go"}]})"));
  const auto read = parse_chat_request(view);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->beyond_slm, "a part that is no text");
}

TEST(ChatView, TheSameConversationReadsTheSameThroughEveryApi) {
  const std::string chat = prompt_text(
      request(Api::chat_completions,
              R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},
      {"role":"assistant","content":"a","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},{"role":"tool","tool_call_id":"1","content":"r"}]})"));
  EXPECT_EQ(chat, prompt_text(request(
                      Api::messages,
                      R"({"max_tokens":1,"system":"s","messages":[{"role":"user","content":"u"},
      {"role":"assistant","content":[{"type":"text","text":"a"},{"type":"tool_use","id":"1","name":"f","input":{"x":1}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"r"}]}]})")));
  EXPECT_EQ(chat, prompt_text(request(Api::responses,
                                      R"({"instructions":"s","input":[{"role":"user","content":"u"},
      {"role":"assistant","content":[{"type":"output_text","text":"a"}]},{"type":"function_call","call_id":"1","name":"f","arguments":"{\"x\":1}"},
      {"type":"function_call_output","call_id":"1","output":"r"}]})")));
}

TEST(ChatView, EmbeddingsHaveNone) {
  EXPECT_FALSE(has_chat_view(Api::embeddings));
  EXPECT_FALSE(to_chat_request(Api::embeddings, parsed(R"({"input":"x"})")));
  EXPECT_FALSE(to_chat_response(Api::embeddings, parsed(R"({"data":[]})")));
  EXPECT_FALSE(to_chat_response(Api::messages, parsed("[]")));
}

}  // namespace
}  // namespace understudy::wire
