// Golden pairs: an upstream's answer, whole or as a stream, and what a client of the other API
// gets.
#include <gmock/gmock.h>

#include "adapters/wire/stream_reader.hpp"
#include "adapters/wire/translate.hpp"
#include "base/json.hpp"

namespace understudy::wire {
namespace {

using testing::HasSubstr;
using testing::Not;

json::value parsed(std::string_view text) {
  auto tree = json::parse(text);
  EXPECT_TRUE(tree) << text;
  return tree ? *tree : json::value{};
}

json::value to_chat(std::string_view body, AnswerContext context = {}) {
  const auto answer = translate_response(Api::messages, Api::chat_completions, body, context);
  EXPECT_TRUE(answer) << answer.error().message;
  return answer ? parsed(*answer) : json::value{};
}

json::value to_messages(std::string_view body) {
  const auto answer = translate_response(Api::chat_completions, Api::messages, body, {});
  EXPECT_TRUE(answer) << answer.error().message;
  return answer ? parsed(*answer) : json::value{};
}

TEST(MessagesAnswerToChat, TextThinkingToolsAndUsage) {
  EXPECT_EQ(
      to_chat(R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
      {"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"x"},
      {"type":"text","text":"I "},{"type":"text","text":"look."},{"type":"tool_use","id":"t1","name":"look","input":{"q":"a"}}],
      "stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":20,"output_tokens":7}})",
              {.created_s = 5}),
      parsed(
          R"({"id":"msg_1","object":"chat.completion","created":5,"model":"claude-x","choices":[{"index":0,"message":{
      "role":"assistant","content":"I look.","refusal":null,"reasoning_content":"hm",
      "thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"x"}],
      "tool_calls":[{"id":"t1","type":"function","function":{"name":"look","arguments":"{\"q\":\"a\"}"}}]},
      "logprobs":null,"finish_reason":"tool_calls"}],
      "usage":{"prompt_tokens":33,"completion_tokens":7,"total_tokens":40,"prompt_tokens_details":{"cached_tokens":20}}})"));
}

TEST(MessagesAnswerToChat, EveryStopReason) {
  const auto reason = [](std::string_view stop) {
    return std::string(to_chat(R"({"content":[{"type":"text","text":"x"}],"stop_reason":")" +
                               std::string(stop) + "\"}")
                           .at("choices")
                           .at(0)
                           .at("finish_reason")
                           .as_string());
  };
  EXPECT_EQ(reason("end_turn"), "stop");
  EXPECT_EQ(reason("stop_sequence"), "stop");
  EXPECT_EQ(reason("max_tokens"), "length");
  EXPECT_EQ(reason("refusal"), "content_filter");
  EXPECT_EQ(reason("model_context_window_exceeded"), "length");
}

TEST(MessagesAnswerToChat, TheForcedToolsInputIsTheText) {
  const json::value choice =
      to_chat(
          R"({"content":[{"type":"tool_use","id":"t","name":"json_answer","input":{"a":1}}],"stop_reason":"tool_use"})",
          {.json_tool = true})
          .at("choices")
          .at(0);
  EXPECT_EQ(choice.at("message").at("content"), R"({"a":1})");
  EXPECT_FALSE(choice.at("message").as_object().contains("tool_calls"));
  EXPECT_EQ(choice.at("finish_reason"), "stop");
}

TEST(ChatAnswerToMessages, TextToolsAndUsage) {
  EXPECT_EQ(
      to_messages(
          R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-x","choices":[{"index":0,"message":{
      "role":"assistant","content":"I look.","reasoning_content":"unsigned","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"q\":\"a\"}"}},
      {"id":"c2","type":"function","function":{"name":"go","arguments":""}}]},"finish_reason":"stop"}],
      "usage":{"prompt_tokens":33,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":20}}})"),
      parsed(
          R"({"id":"chatcmpl-1","type":"message","role":"assistant","model":"gpt-x","content":[{"type":"text","text":"I look."},
      {"type":"tool_use","id":"c1","name":"look","input":{"q":"a"}},{"type":"tool_use","id":"c2","name":"go","input":{}}],
      "stop_reason":"tool_use","stop_sequence":null,
      "usage":{"input_tokens":13,"cache_creation_input_tokens":0,"cache_read_input_tokens":20,"output_tokens":7}})"));
}

TEST(ChatAnswerToMessages, EveryFinishReason) {
  const auto reason = [](std::string_view choice) {
    return json::to_text(
        to_messages(R"({"choices":[{"message":{"content":"x"},)" + std::string(choice) + "}]}")
            .at("stop_reason"));
  };
  EXPECT_EQ(reason(R"("finish_reason":"stop")"), "\"end_turn\"");
  EXPECT_EQ(reason(R"("finish_reason":"length")"), "\"max_tokens\"");
  EXPECT_EQ(reason(R"("finish_reason":"content_filter")"), "\"refusal\"");
  EXPECT_EQ(reason(R"("finish_reason":"stop","stop_reason":"END")"), "\"stop_sequence\"");
  EXPECT_EQ(
      to_messages(
          R"({"choices":[{"message":{"content":null,"refusal":"I can't."},"finish_reason":"stop"}]})")
          .at("stop_reason"),
      "refusal");
}

TEST(ChatAnswerToMessages, RefusesArgumentsThatAreNoJson) {
  EXPECT_FALSE(translate_response(
      Api::chat_completions, Api::messages,
      R"({"choices":[{"message":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{bad"}}]}}]})",
      {}));
  EXPECT_FALSE(translate_response(Api::chat_completions, Api::messages, R"({"choices":[]})", {}));
  EXPECT_FALSE(translate_response(Api::messages, Api::chat_completions, "<html>", {}));
}

TEST(TranslateError, KeepsMessageAndType) {
  EXPECT_EQ(
      translate_error(Api::messages, Api::chat_completions, 529,
                      R"({"type":"error","error":{"type":"overloaded_error","message":"busy"}})"),
      R"({"error":{"message":"busy","type":"server_error","param":null,"code":null}})");
  EXPECT_EQ(translate_error(
                Api::chat_completions, Api::messages, 429,
                R"({"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}})"),
            R"({"type":"error","error":{"type":"rate_limit_error","message":"slow"}})");
  EXPECT_THAT(translate_error(Api::chat_completions, Api::messages, 502, "<html>secret</html>"),
              Not(HasSubstr("secret")));
}

// ---- streams

std::string sse(std::string_view data) { return "data: " + std::string(data) + "\n\n"; }
std::string typed(std::string_view type, std::string_view rest) {
  return "event: " + std::string(type) + "\ndata: {\"type\":\"" + std::string(type) + "\"" +
         std::string(rest) + "}\n\n";
}

// The client's stream, with the upstream's cut into pieces of `step` bytes.
std::string streamed(Api from, std::string_view text, AnswerContext context = {},
                     std::size_t step = 4096) {
  const Api to = from == Api::messages ? Api::chat_completions : Api::messages;
  const auto translator = StreamTranslator::make(from, to, context);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += step) {
    const auto part = translator->feed(text.substr(at, step));
    EXPECT_TRUE(part);
    if (part) out += *part;
  }
  return out + translator->finish();
}

std::unique_ptr<StreamReader> read(Api api, std::string_view text) {
  auto reader = StreamReader::make(api);
  EXPECT_TRUE(reader->feed(text));
  EXPECT_FALSE(reader->malformed()) << text;
  return reader;
}

const std::string anthropic_stream =
    typed(
        "message_start",
        R"(,"message":{"id":"msg_1","model":"claude-x","content":[],"usage":{"input_tokens":10,"cache_read_input_tokens":20,"output_tokens":1}})") +
    typed("content_block_start",
          R"(,"index":0,"content_block":{"type":"thinking","thinking":"","signature":""})") +
    typed("content_block_delta",
          R"(,"index":0,"delta":{"type":"thinking_delta","thinking":"hm"})") +
    typed("content_block_delta",
          R"(,"index":0,"delta":{"type":"signature_delta","signature":"c2ln"})") +
    typed("content_block_stop", R"(,"index":0)") + typed("ping", "") +
    typed("content_block_start", R"(,"index":1,"content_block":{"type":"text","text":""})") +
    typed("content_block_delta",
          R"(,"index":1,"delta":{"type":"text_delta","text":"I \"look\"."})") +
    typed("content_block_stop", R"(,"index":1)") +
    typed("content_block_start",
          R"(,"index":2,"content_block":{"type":"tool_use","id":"t1","name":"look","input":{}})") +
    typed("content_block_delta",
          R"(,"index":2,"delta":{"type":"input_json_delta","partial_json":""})") +
    typed("content_block_delta",
          R"(,"index":2,"delta":{"type":"input_json_delta","partial_json":"{\"q\":"})") +
    typed("content_block_delta",
          R"(,"index":2,"delta":{"type":"input_json_delta","partial_json":"\"a\"}"})") +
    typed("content_block_stop", R"(,"index":2)") +
    typed("content_block_start",
          R"(,"index":3,"content_block":{"type":"tool_use","id":"t2","name":"go","input":{}})") +
    typed("content_block_stop", R"(,"index":3)") +
    typed(
        "message_delta",
        R"(,"delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":7})") +
    typed("message_stop", "");

TEST(MessagesStreamToChat, EqualsTheWholeAnswerAtEveryChunkBorder) {
  const std::string whole =
      streamed(Api::messages, anthropic_stream, {.include_usage = true, .created_s = 5});
  for (std::size_t step = 1; step < 30; ++step)
    EXPECT_EQ(
        streamed(Api::messages, anthropic_stream, {.include_usage = true, .created_s = 5}, step),
        whole);
  const auto reader = read(Api::chat_completions, whole);
  EXPECT_TRUE(reader->done());
  EXPECT_TRUE(reader->usage_event());
  EXPECT_EQ(
      parsed(reader->response_text()),
      parsed(
          R"({"id":"msg_1","object":"chat.completion","created":5,"model":"claude-x","choices":[{"index":0,"message":{
      "role":"assistant","content":"I \"look\".","reasoning_content":"hm","thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"c2ln"}],
      "tool_calls":[{"id":"t1","type":"function","function":{"name":"look","arguments":"{\"q\":\"a\"}"}},
                    {"id":"t2","type":"function","function":{"name":"go","arguments":"{}"}}]},"finish_reason":"tool_calls"}],
      "usage":{"prompt_tokens":30,"completion_tokens":7,"total_tokens":37,"prompt_tokens_details":{"cached_tokens":20}}})"));
}

TEST(MessagesStreamToChat, UsageComesOnlyWhereTheClientAsked) {
  const std::string text = streamed(Api::messages, anthropic_stream);
  EXPECT_THAT(text, Not(HasSubstr("usage")));
  EXPECT_TRUE(text.ends_with("data: [DONE]\n\n"));
}

TEST(MessagesStreamToChat, AnErrorOrACutNeverEndsCleanly) {
  const std::string start =
      anthropic_stream.substr(0, anthropic_stream.find("event: message_delta"));
  EXPECT_FALSE(read(Api::chat_completions, streamed(Api::messages, start))->complete());
  const auto failed = read(
      Api::chat_completions,
      streamed(Api::messages,
               start + typed("error", R"(,"error":{"type":"overloaded_error","message":"m"})") +
                   typed("message_stop", "")));
  EXPECT_EQ(failed->error(), "server_error");
  EXPECT_FALSE(failed->done());
}

TEST(MessagesStreamToChat, AStopReasonIsAnEndAlsoWithoutMessageStop) {
  const std::string text = anthropic_stream.substr(0, anthropic_stream.find("event: message_stop"));
  const auto reader = read(Api::chat_completions, streamed(Api::messages, text));
  EXPECT_TRUE(reader->done());
  EXPECT_EQ(reader->finish_reason(), "tool_calls");
}

TEST(MessagesStreamToChat, TheForcedToolStreamsAsText) {
  const std::string text =
      typed("message_start", R"(,"message":{"id":"m","model":"c","usage":{}})") +
      typed(
          "content_block_start",
          R"(,"index":0,"content_block":{"type":"tool_use","id":"t","name":"json_answer","input":{}})") +
      typed("content_block_delta",
            R"(,"index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"})") +
      typed("content_block_delta",
            R"(,"index":0,"delta":{"type":"input_json_delta","partial_json":"1}"})") +
      typed("content_block_stop", R"(,"index":0)") +
      typed("message_delta", R"(,"delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2})") +
      typed("message_stop", "");
  const auto reader =
      read(Api::chat_completions, streamed(Api::messages, text, {.json_tool = true}));
  EXPECT_EQ(reader->finish_reason(), "stop");
  EXPECT_EQ(parsed(reader->response_text()).at("choices").at(0).at("message").at("content"),
            R"({"a":1})");
}

const std::string openai_stream =
    sse(R"({"id":"c1","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})") +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{"content":"I \"look\"."},"finish_reason":null}]})") +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[]},"finish_reason":null}]})") +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"look","arguments":""}}]}}]})") +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"q\":"}}]}}]})") +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"a\"}"}}]}}]})") +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"t2","type":"function","function":{"name":"go","arguments":"{}"}}]}}]})") +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]})") +
    sse(R"({"id":"c1","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":20}}})");

// The types of the events, in order, with the block's index.
std::string order(std::string_view stream) {
  std::string order;
  SseParser parser;
  EXPECT_TRUE(parser.feed(stream, [&order](const SseEvent& event) {
    const json::value tree = parsed(event.data);
    EXPECT_EQ(json::string_or(tree, "type"), event.type);
    order += event.type +
             (tree.as_object().contains("index") ? json::to_text(tree.at("index")) : "") + " ";
  }));
  return order;
}

TEST(ChatStreamToMessages, EqualsTheWholeAnswerInAnthropicsOrder) {
  const std::string whole =
      streamed(Api::chat_completions, openai_stream + sse("[DONE]"), {.prompt_tokens = 25});
  for (std::size_t step = 1; step < 30; ++step)
    EXPECT_EQ(
        streamed(Api::chat_completions, openai_stream + sse("[DONE]"), {.prompt_tokens = 25}, step),
        whole);
  EXPECT_EQ(
      order(whole),
      "message_start content_block_start0 content_block_delta0 content_block_stop0 "
      "content_block_start1 content_block_delta1 content_block_delta1 content_block_stop1 "
      "content_block_start2 content_block_delta2 content_block_stop2 message_delta message_stop ");
  const auto reader = read(Api::messages, whole);
  EXPECT_TRUE(reader->complete());
  EXPECT_THAT(whole, HasSubstr(R"("usage":{"input_tokens":25,)"));
  EXPECT_EQ(parsed(reader->response_text()),
            parsed(R"({"id":"c1","type":"message","role":"assistant","model":"gpt-x","content":[
      {"type":"text","text":"I \"look\"."},{"type":"tool_use","id":"t1","name":"look","input":{"q":"a"}},
      {"type":"tool_use","id":"t2","name":"go","input":{}}],"stop_reason":"tool_use","stop_sequence":null,
      "usage":{"input_tokens":10,"cache_creation_input_tokens":0,"cache_read_input_tokens":20,"output_tokens":7}})"));
}

TEST(ChatStreamToMessages, EndsWithoutDoneOnlyWhenTheAnswerIsWhole) {
  EXPECT_TRUE(read(Api::messages, streamed(Api::chat_completions, openai_stream))->complete());
  const std::string cut = openai_stream.substr(
      0, openai_stream.find(R"(data: {"id":"c1","choices":[{"index":0,"delta":{},"f)"));
  EXPECT_FALSE(read(Api::messages, streamed(Api::chat_completions, cut))->complete());
}

TEST(ChatStreamToMessages, CallsWhoseArgumentsInterleaveComeOneAfterTheOther) {
  const auto piece = [](int index, std::string_view id, std::string_view arguments) {
    return sse(R"({"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":)" +
               std::to_string(index) + R"(,"id":")" + std::string(id) +
               R"(","function":{"name":"f)" + std::to_string(index) + R"(","arguments":)" +
               json::to_text(json::value(arguments)) + "}}]}}]}");
  };
  const std::string whole = streamed(
      Api::chat_completions, piece(0, "a", R"({"x":)") + piece(1, "b", R"({"y")") +
                                 piece(0, "a", "1}") + piece(1, "b", ":2}") + sse("[DONE]"));
  EXPECT_EQ(
      order(whole),
      "message_start content_block_start0 content_block_delta0 content_block_delta0 "
      "content_block_stop0 "
      "content_block_start1 content_block_delta1 content_block_stop1 message_delta message_stop ");
  const json::value content = parsed(read(Api::messages, whole)->response_text()).at("content");
  EXPECT_EQ(content.at(0).at("input"), parsed(R"({"x":1})"));
  EXPECT_EQ(content.at(1).at("input"), parsed(R"({"y":2})"));
}

TEST(ChatStreamToMessages, ErrorsBecomeErrorEvents) {
  const auto reader =
      read(Api::messages,
           streamed(Api::chat_completions,
                    sse(R"({"object":"error","message":"m","type":"BadRequestError","code":400})") +
                        sse("[DONE]")));
  EXPECT_EQ(reader->error(), "api_error");
  EXPECT_FALSE(reader->complete());
}

TEST(StreamTranslator, RefusesABrokenEvent) {
  for (const Api from : {Api::messages, Api::chat_completions}) {
    const Api to = from == Api::messages ? Api::chat_completions : Api::messages;
    EXPECT_FALSE(StreamTranslator::make(from, to, {})->feed(sse("{oops")));
  }
}

TEST(StreamTranslator, ThereAndBackIsTheSameAnswer) {
  const std::string there = streamed(Api::messages, anthropic_stream, {.include_usage = true});
  const std::string back = streamed(Api::chat_completions, there);
  json::value original = parsed(read(Api::messages, anthropic_stream)->response_text());
  const json::value again = parsed(read(Api::messages, back)->response_text());
  EXPECT_EQ(again.at("content"), original.at("content"));
  EXPECT_EQ(again.at("stop_reason"), original.at("stop_reason"));
  EXPECT_EQ(again.at("usage").at("cache_read_input_tokens"), 20);
}

}  // namespace
}  // namespace understudy::wire
