// Golden pairs: a request of the one API, and the request of the other that it becomes.
#include <gmock/gmock.h>

#include "adapters/wire/request_scan.hpp"
#include "adapters/wire/translate.hpp"
#include "base/json.hpp"

namespace understudy::wire {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

json::value parsed(std::string_view text) {
  auto tree = json::parse(text);
  EXPECT_TRUE(tree) << text;
  return tree ? *tree : json::value{};
}

json::value translated(Api from, std::string_view body) {
  const Api to = from == Api::messages ? Api::chat_completions : Api::messages;
  const auto request = translate_request(from, to, body);
  EXPECT_TRUE(request) << request.error().message;
  if (!request) return {};
  EXPECT_TRUE(scan_request(to, std::string_view(request->body))) << request->body;
  return parsed(request->body);
}

json::value to_messages(std::string_view body) { return translated(Api::chat_completions, body); }
json::value to_chat(std::string_view body) { return translated(Api::messages, body); }

std::string refusal(Api from, std::string_view body) {
  const Api to = from == Api::messages ? Api::chat_completions : Api::messages;
  const auto request = translate_request(from, to, body);
  EXPECT_FALSE(request) << body;
  if (request) return {};
  EXPECT_EQ(request.error().code, ErrorCode::invalid_input);
  return request.error().message;
}

TEST(ChatToMessages, AConversationWithToolsImagesAndSettings) {
  EXPECT_EQ(
      to_messages(
          R"({"model":"claude-x","max_completion_tokens":100,"temperature":1.5,"top_p":0.9,"stop":"END",
    "stream":true,"stream_options":{"include_usage":true},"user":"u1","seed":7,"n":1,"store":false,"logprobs":false,
    "messages":[
      {"role":"system","content":"Be brief."},
      {"role":"user","content":[{"type":"text","text":"What is this?"},
        {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBOR","detail":"high"}},
        {"type":"image_url","image_url":{"url":"https://x.example/a.png"}}]},
      {"role":"assistant","content":"I look.","tool_calls":[
        {"id":"c1","type":"function","function":{"name":"look","arguments":"{\"q\":\"a\"}"}},
        {"id":"c2","type":"function","function":{"name":"go","arguments":""}}]},
      {"role":"tool","tool_call_id":"c1","content":"found"},
      {"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"gone"}]},
      {"role":"user","content":"And now?"}],
    "tools":[{"type":"function","function":{"name":"look","description":"d","strict":true,"parameters":{"type":"object","properties":{"q":{"type":"string"}}}}},
             {"type":"function","function":{"name":"go"}}],
    "tool_choice":"required","parallel_tool_calls":false})"),
      parsed(
          R"({"model":"claude-x","max_tokens":100,"temperature":1,"top_p":0.9,"stop_sequences":["END"],
    "stream":true,"metadata":{"user_id":"u1"},"system":"Be brief.",
    "messages":[
      {"role":"user","content":[{"type":"text","text":"What is this?"},
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBOR"}},
        {"type":"image","source":{"type":"url","url":"https://x.example/a.png"}}]},
      {"role":"assistant","content":[{"type":"text","text":"I look."},
        {"type":"tool_use","id":"c1","name":"look","input":{"q":"a"}},
        {"type":"tool_use","id":"c2","name":"go","input":{}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"found"},
        {"type":"tool_result","tool_use_id":"c2","content":[{"type":"text","text":"gone"}]},
        {"type":"text","text":"And now?"}]}],
    "tools":[{"name":"look","description":"d","input_schema":{"type":"object","properties":{"q":{"type":"string"}}}},
             {"name":"go","input_schema":{"type":"object","properties":{}}}],
    "tool_choice":{"type":"any","disable_parallel_tool_use":true}})"));
}

TEST(ChatToMessages, RolesAlternateAndResultsComeFirst) {
  EXPECT_EQ(
      to_messages(R"({"model":"m","messages":[
      {"role":"user","content":"a"},{"role":"user","content":"b"},
      {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
      {"role":"user","content":"hurry"},{"role":"tool","tool_call_id":"c","content":"r"},
      {"role":"developer","content":"late rule"},{"role":"assistant","content":""}]})")
          .at("messages"),
      parsed(R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
      {"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"r"},{"type":"text","text":"hurry"}]}])"));
}

TEST(ChatToMessages, SystemPromptsMoveToTheFrontAndKeepTheirCacheControl) {
  EXPECT_EQ(
      to_messages(R"({"model":"m","messages":[
      {"role":"system","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]},
      {"role":"user","content":"x"},{"role":"developer","content":"b"}]})")
          .at("system"),
      parsed(
          R"([{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"text","text":"b"}])"));
}

TEST(ChatToMessages, MaxTokensHasADefault) {
  const std::string_view body = R"({"model":"m","messages":[{"role":"user","content":"x"}]})";
  EXPECT_EQ(to_messages(body).at("max_tokens"), limits::translated_tokens_max);
  const auto other =
      translate_request(Api::chat_completions, Api::messages, body, {.max_tokens = 9});
  EXPECT_EQ(parsed(other->body).at("max_tokens"), 9);
  EXPECT_EQ(to_messages(R"({"max_tokens":3,"messages":[{"role":"user","content":"x"}]})")
                .at("max_tokens"),
            3);
}

TEST(ChatToMessages, EveryToolChoice) {
  const auto choice = [](std::string_view field) {
    const json::value body = to_messages(
        R"({"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}}])" +
        std::string(field) + "}");
    const json::value* found = json::find(body, "tool_choice");
    return found != nullptr ? json::to_text(*found) : "";
  };
  EXPECT_EQ(choice(""), "");
  EXPECT_EQ(choice(R"(,"tool_choice":"auto")"), R"({"type":"auto"})");
  EXPECT_EQ(choice(R"(,"tool_choice":"none","parallel_tool_calls":false)"), R"({"type":"none"})");
  EXPECT_EQ(choice(R"(,"tool_choice":"required")"), R"({"type":"any"})");
  EXPECT_EQ(choice(R"(,"tool_choice":{"type":"function","function":{"name":"f"}})"),
            R"({"type":"tool","name":"f"})");
  EXPECT_EQ(choice(R"(,"parallel_tool_calls":false)"),
            R"({"type":"auto","disable_parallel_tool_use":true})");
}

TEST(ChatToMessages, SignedThinkingGoesBackVerbatim) {
  EXPECT_EQ(
      to_messages(
          R"({"model":"m","thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"x"},
      {"role":"assistant","content":"y","reasoning_content":"hm","thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"c2ln"}]}]})")
          .at("messages")
          .at(1),
      parsed(
          R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"text","text":"y"}]})"));
}

TEST(ChatToMessages, AJsonAnswerIsForcedAsATool) {
  const auto request = translate_request(
      Api::chat_completions, Api::messages,
      R"({"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{"a":{"type":"integer"}}}}}})");
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->answer.json_tool);
  const json::value body = parsed(request->body);
  EXPECT_EQ(body.at("tools").at(0).at("input_schema"),
            parsed(R"({"type":"object","properties":{"a":{"type":"integer"}}})"));
  EXPECT_EQ(body.at("tool_choice").at("name"), body.at("tools").at(0).at("name"));
}

TEST(ChatToMessages, AFileBecomesADocument) {
  EXPECT_EQ(
      to_messages(
          R"({"messages":[{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}}]}]})")
          .at("messages")
          .at(0)
          .at("content")
          .at(0),
      parsed(
          R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"title":"a.pdf"})"));
}

TEST(ChatToMessages, WhatHasNoEqualIsRefusedByName) {
  const auto with = [](std::string_view field) {
    return refusal(
        Api::chat_completions,
        R"({"model":"m","messages":[{"role":"user","content":"x"}],)" + std::string(field) + "}");
  };
  EXPECT_THAT(with(R"("n":2)"), StartsWith("n:"));
  EXPECT_THAT(with(R"("logprobs":true)"), StartsWith("logprobs:"));
  EXPECT_THAT(with(R"("logit_bias":{"5":1})"), StartsWith("logit_bias:"));
  EXPECT_THAT(with(R"("frequency_penalty":0.5)"), StartsWith("frequency_penalty:"));
  EXPECT_THAT(with(R"("audio":{"voice":"x"})"), StartsWith("audio:"));
  EXPECT_THAT(with(R"("modalities":["text","audio"])"), StartsWith("modalities:"));
  EXPECT_THAT(with(R"("functions":[{"name":"f"}])"), StartsWith("functions:"));
  EXPECT_THAT(with(R"("web_search_options":{})"), StartsWith("web_search_options:"));
  EXPECT_THAT(with(R"("brand_new":1)"), StartsWith("brand_new:"));
  EXPECT_THAT(with(R"("stop":["\n"])"), StartsWith("stop:"));
  EXPECT_THAT(with(R"("tools":[{"type":"custom","custom":{"name":"f"}}])"),
              StartsWith("tools[0]:"));
  EXPECT_THAT(
      with(
          R"("response_format":{"type":"json_object"},"tools":[{"type":"function","function":{"name":"f"}}])"),
      StartsWith("response_format:"));
  EXPECT_THAT(
      refusal(
          Api::chat_completions,
          R"({"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"input_audio","input_audio":{}}]}]})"),
      StartsWith("messages[0].content[1]:"));
  EXPECT_THAT(
      refusal(
          Api::chat_completions,
          R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]})"),
      HasSubstr("image_url"));
  EXPECT_THAT(
      refusal(
          Api::chat_completions,
          R"({"messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{bad"}}]}]})"),
      StartsWith("messages[1].tool_calls[0].function.arguments:"));
  EXPECT_THAT(refusal(Api::chat_completions, R"({"messages":[{"role":"system","content":"x"}]})"),
              StartsWith("messages:"));
  EXPECT_THAT(refusal(Api::chat_completions, R"({"messages":[{"role":"function","content":"x"}]})"),
              StartsWith("messages[0].role:"));
}

TEST(MessagesToChat, AConversationWithToolsImagesAndSettings) {
  EXPECT_EQ(
      to_chat(
          R"({"model":"gpt-x","max_tokens":100,"temperature":0.5,"top_p":0.9,"stop_sequences":["END"],"stream":true,
    "metadata":{"user_id":"u1"},"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Be kind."}],
    "thinking":{"type":"enabled","budget_tokens":2000},
    "messages":[
      {"role":"user","content":[{"type":"text","text":"What is this?"},
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBOR"}},
        {"type":"image","source":{"type":"url","url":"https://x.example/a.png"}}]},
      {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"I look."},
        {"type":"tool_use","id":"t1","name":"look","input":{"q":"a"}},
        {"type":"tool_use","id":"t2","name":"go","input":{}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"found"},
        {"type":"tool_result","tool_use_id":"t2","is_error":true,"content":[{"type":"text","text":"gone"},{"type":"text","text":"away"}]},
        {"type":"text","text":"And now?"}]},
      {"role":"assistant","content":"Prefilled"}],
    "tools":[{"name":"look","description":"d","input_schema":{"type":"object"}}],
    "tool_choice":{"type":"any","disable_parallel_tool_use":true}})"),
      parsed(
          R"({"model":"gpt-x","max_completion_tokens":100,"temperature":0.5,"top_p":0.9,"stop":["END"],"stream":true,
    "stream_options":{"include_usage":true},"user":"u1",
    "messages":[{"role":"system","content":"Be brief.\nBe kind."},
      {"role":"user","content":[{"type":"text","text":"What is this?"},
        {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBOR"}},
        {"type":"image_url","image_url":{"url":"https://x.example/a.png"}}]},
      {"role":"assistant","content":"I look.","tool_calls":[
        {"id":"t1","type":"function","function":{"name":"look","arguments":"{\"q\":\"a\"}"}},
        {"id":"t2","type":"function","function":{"name":"go","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"t1","content":"found"},
      {"role":"tool","tool_call_id":"t2","content":"Error: gone\naway"},
      {"role":"user","content":"And now?"},
      {"role":"assistant","content":"Prefilled"}],
    "tools":[{"type":"function","function":{"name":"look","description":"d","parameters":{"type":"object"}}}],
    "tool_choice":"required","parallel_tool_calls":false})"));
}

TEST(MessagesToChat, AnImageInAResultGoesToTheUsersMessage) {
  EXPECT_EQ(
      to_chat(
          R"({"max_tokens":1,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"see","input":{}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"a picture"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iV"}}]}]}]})")
          .at("messages"),
      parsed(R"([{"role":"user","content":"x"},
      {"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"see","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"t","content":"a picture"},
      {"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iV"}}]}])"));
}

TEST(MessagesToChat, EveryToolChoice) {
  const auto choice = [](std::string_view value) {
    return json::to_text(
        to_chat(
            R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","input_schema":{}}],"tool_choice":)" +
            std::string(value) + "}")
            .at("tool_choice"));
  };
  EXPECT_EQ(choice(R"({"type":"auto"})"), "\"auto\"");
  EXPECT_EQ(choice(R"({"type":"none"})"), "\"none\"");
  EXPECT_EQ(choice(R"({"type":"tool","name":"f"})"),
            R"({"type":"function","function":{"name":"f"}})");
}

TEST(MessagesToChat, ALongUserIsShortenedToTheSameNameEachTime) {
  const std::string body =
      R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}],"metadata":{"user_id":")" +
      std::string(200, 'u') + R"("}})";
  const json::value first = to_chat(body);
  EXPECT_EQ(first.at("user").as_string().size(), 32U);
  EXPECT_EQ(first, to_chat(body));
}

TEST(MessagesToChat, StructuredOutputKeepsItsSchema) {
  EXPECT_EQ(
      to_chat(
          R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}],"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}})")
          .at("response_format"),
      parsed(
          R"({"type":"json_schema","json_schema":{"name":"json_answer","schema":{"type":"object"}}})"));
}

TEST(MessagesToChat, WhatHasNoEqualIsRefusedByName) {
  const auto with = [](std::string_view field) {
    return refusal(Api::messages, R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}],)" +
                                      std::string(field) + "}");
  };
  EXPECT_THAT(with(R"("top_k":5)"), StartsWith("top_k:"));
  EXPECT_THAT(with(R"("mcp_servers":[{"url":"x"}])"), StartsWith("mcp_servers:"));
  EXPECT_THAT(with(R"("container":"c")"), StartsWith("container:"));
  EXPECT_THAT(with(R"("stop_sequences":["a","b","c","d","e"])"), StartsWith("stop_sequences:"));
  EXPECT_THAT(with(R"("tools":[{"type":"web_search_20250305","name":"web_search"}])"),
              StartsWith("tools[0]:"));
  EXPECT_THAT(refusal(Api::messages,
                      R"({"messages":[{"role":"user","content":[{"type":"search_result"}]}]})"),
              StartsWith("messages[0].content[0]:"));
  EXPECT_THAT(
      refusal(
          Api::messages,
          R"({"messages":[{"role":"user","content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}]})"),
      StartsWith("messages[0].content[0]:"));
}

TEST(Translate, ThereAndBackKeepsAConversation) {
  const std::string chat =
      R"({"model":"m","max_completion_tokens":7,"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},
      {"role":"assistant","content":"a","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"x\":[1,2.5,\"ü\"]}"}}]},
      {"role":"tool","tool_call_id":"c","content":"r"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"auto"})";
  const auto there = translate_request(Api::chat_completions, Api::messages, chat);
  ASSERT_TRUE(there);
  const auto back = translate_request(Api::messages, Api::chat_completions, there->body);
  ASSERT_TRUE(back);
  EXPECT_EQ(json::to_canonical(parsed(back->body)), json::to_canonical(parsed(chat)));
}

TEST(Translate, OnlyBetweenChatAndMessages) {
  EXPECT_TRUE(can_translate(Api::messages, Api::chat_completions));
  EXPECT_FALSE(can_translate(Api::responses, Api::messages));
  EXPECT_FALSE(translate_request(Api::responses, Api::messages, "{}"));
}

}  // namespace
}  // namespace understudy::wire
