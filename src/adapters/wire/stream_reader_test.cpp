#include "adapters/wire/stream_reader.hpp"

#include <gmock/gmock.h>

#include "adapters/wire/errors.hpp"
#include "base/json.hpp"
#include "base/limits.hpp"

namespace understudy::wire {
namespace {

using testing::HasSubstr;

std::string sse(std::string_view data) { return "data: " + std::string(data) + "\n\n"; }
std::string typed(std::string_view type, std::string_view rest) {
  return "event: " + std::string(type) + "\ndata: {\"type\":\"" + std::string(type) + "\"" +
         std::string(rest) + "}\n\n";
}

std::unique_ptr<StreamReader> read(Api api, std::string_view text) {
  std::unique_ptr<StreamReader> reader = StreamReader::make(api);
  EXPECT_TRUE(reader->feed(text));
  return reader;
}

json::value tree_of(const StreamReader& reader) {
  const auto tree = json::parse(reader.response_text());
  EXPECT_TRUE(tree) << reader.response_text();
  return tree ? *tree : json::value{};
}

json::value parsed(std::string_view text) { return json::parse(text).value(); }

const std::string chat_stream =
    sse(R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":"gpt-4o-x","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null,"obfuscation":"abc"})") +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{"content":"Gr\u00fc"},"logprobs":{"content":[{"token":"a"}],"refusal":null},"finish_reason":null}]})") +
    ": keep-alive\n\n" +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{"content":"\u00df \ud83d"},"logprobs":{"content":[{"token":"b"}]}}]})") +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{"content":"\ude00\"","reasoning_content":"hm"}}]})") +
    sse(R"({"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
const std::string usage_chunk = sse(
    R"({"id":"c1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":5}}})");
const std::string done = sse("[DONE]");

TEST(ChatStreamReader, PutsAnAnswerTogetherAtEveryChunkBorder) {
  const std::string text = chat_stream + usage_chunk + done;
  const std::string whole = read(Api::chat_completions, text)->response_text();
  for (std::size_t step = 1; step < 40; ++step) {
    const auto reader = StreamReader::make(Api::chat_completions);
    for (std::size_t at = 0; at < text.size(); at += step)
      ASSERT_TRUE(reader->feed(std::string_view(text).substr(at, step)));
    EXPECT_EQ(reader->response_text(), whole) << step;
    EXPECT_TRUE(reader->done());
  }
  EXPECT_EQ(
      parsed(whole),
      parsed(
          R"({"id":"c1","object":"chat.completion","created":7,"model":"gpt-4o-x","system_fingerprint":"fp","choices":[
      {"index":0,"message":{"role":"assistant","content":"Grüß 😀\"","reasoning_content":"hm"},
       "logprobs":{"content":[{"token":"a"},{"token":"b"}]},"finish_reason":"stop"}],
      "usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":5}}})"));
}

TEST(ChatStreamReader, KnowsUsageModelAndTheEventToCutOut) {
  const auto reader = read(Api::chat_completions, chat_stream + usage_chunk + done);
  ASSERT_TRUE(reader->usage());
  EXPECT_EQ(reader->usage()->prompt_tokens, 9);
  EXPECT_EQ(reader->usage()->cached_prompt_tokens, 5);
  EXPECT_EQ(reader->served_model(), "gpt-4o-x");
  EXPECT_EQ(reader->finish_reason(), "stop");
  ASSERT_TRUE(reader->usage_event());
  EXPECT_EQ(reader->usage_event()->begin, chat_stream.size());
  EXPECT_EQ(reader->usage_event()->bytes, usage_chunk.size());
  EXPECT_FALSE(read(Api::chat_completions, chat_stream + done)->usage_event());
}

TEST(ChatStreamReader, TellsCompleteFromCut) {
  EXPECT_TRUE(read(Api::chat_completions, chat_stream)->complete());  // [DONE] is missing
  EXPECT_FALSE(read(Api::chat_completions, chat_stream)->done());
  const auto cut = read(Api::chat_completions, chat_stream.substr(0, chat_stream.size() - 20));
  EXPECT_FALSE(cut->complete());
  EXPECT_GT(cut->pending_bytes(), 0U);
  EXPECT_EQ(cut->clean_bytes() + cut->pending_bytes(), chat_stream.size() - 20);
  EXPECT_TRUE(read(Api::chat_completions, "")->response_text().empty());
}

TEST(ChatStreamReader, ABrokenEventIsNotForwardedAndContributesNothing) {
  const std::string first = sse(R"({"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]})");
  for (const char* broken :
       {R"({"id":"c","choices":[{"index":0,"delta":{"content":"X"}}])", "{oops", "<html>",
        R"({"choices":[{"index":0,"delta":{"content":"X\q"}}]})", R"({"choices":[]} {})", "[1]"}) {
    const auto reader = read(Api::chat_completions, first + sse(broken) + first);
    EXPECT_TRUE(reader->malformed()) << broken;
    EXPECT_EQ(reader->clean_bytes(), first.size()) << broken;
    EXPECT_EQ(tree_of(*reader).at("choices").at(0).at("message").at("content"), "aa");
  }
}

TEST(ChatStreamReader, AnErrorInAShapeThatNoSdkKnowsIsNotForwarded) {
  const auto vllm =
      read(Api::chat_completions,
           sse(R"({"object":"error","message":"m","type":"BadRequestError","code":400})"));
  EXPECT_EQ(vllm->error(), "BadRequestError/400");
  EXPECT_EQ(vllm->clean_bytes(), 0U);
  EXPECT_FALSE(vllm->malformed());
  const auto openai = read(Api::chat_completions,
                           sse(R"({"error":{"message":"m","type":"server_error","code":null}})"));
  EXPECT_EQ(openai->error(), "server_error");
  EXPECT_GT(openai->clean_bytes(), 0U);
  EXPECT_EQ(read(Api::chat_completions, sse(R"({"error":null,"choices":[]})"))->error(), "");
}

TEST(ChatStreamReader, JoinsToolCallsAlsoWhereTheIndexIsMissing) {
  const auto reader = read(
      Api::chat_completions,
      sse(R"({"id":"c","choices":[{"delta":{"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]},"index":0}]})") +
          sse(R"({"id":"c","choices":[{"delta":{"tool_calls":[{"function":{"arguments":"1}"}}]},"index":0}]})") +
          sse(R"({"id":"c","choices":[{"delta":{"tool_calls":[{"id":"t2","function":{"name":"g","arguments":"{}"}}]},"index":0,"finish_reason":"tool_calls"}]})"));
  EXPECT_EQ(
      tree_of(*reader).at("choices").at(0).at("message").at("tool_calls"),
      parsed(R"([{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
                       {"id":"t2","type":"function","function":{"name":"g","arguments":"{}"}}])"));
}

TEST(ChatStreamReader, SeparatesChoicesAndListsThemInOrder) {
  const auto reader = read(
      Api::chat_completions,
      sse(R"({"id":"c","choices":[{"index":1,"delta":{"content":"b"},"finish_reason":"length"}]})") +
          sse(R"({"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]})"));
  EXPECT_FALSE(reader->complete());
  EXPECT_EQ(tree_of(*reader).at("choices").at(0).at("message").at("content"), "a");
  EXPECT_EQ(tree_of(*reader).at("choices").at(1).at("finish_reason"), "length");
}

TEST(CompletionsReader, JoinsTheTexts) {
  const auto reader = read(
      Api::completions,
      sse(R"({"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"a","logprobs":{"tokens":["a"]},"finish_reason":null}]})") +
          sse(R"({"id":"c","choices":[{"index":0,"text":"b","logprobs":{"tokens":["b"]},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2}})") +
          done);
  EXPECT_EQ(tree_of(*reader),
            parsed(R"({"id":"c","object":"text_completion","created":1,"model":"m","choices":[
              {"index":0,"text":"ab","logprobs":{"tokens":["a","b"]},"finish_reason":"length"}],
              "usage":{"prompt_tokens":1,"completion_tokens":2}})"));
  EXPECT_FALSE(reader->usage_event());  // it has a choice: not the event that we asked for
  EXPECT_EQ(reader->finish_reason(), "length");
}

const std::string responses_start =
    typed(
        "response.created",
        R"(,"sequence_number":0,"response":{"id":"r1","object":"response","model":"gpt-5","status":"in_progress","output":[]})") +
    typed(
        "response.output_item.added",
        R"(,"sequence_number":1,"output_index":0,"item":{"id":"rs","type":"reasoning","summary":[]})") +
    typed(
        "response.reasoning_summary_text.delta",
        R"(,"sequence_number":2,"output_index":0,"summary_index":0,"delta":"hm","obfuscation":"x")") +
    typed(
        "response.output_item.done",
        R"(,"sequence_number":3,"output_index":0,"item":{"id":"rs","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]})") +
    typed(
        "response.output_item.added",
        R"(,"sequence_number":4,"output_index":1,"item":{"id":"m","type":"message","role":"assistant","content":[]})") +
    typed("response.output_text.delta",
          R"(,"sequence_number":5,"output_index":1,"content_index":0,"delta":"He\"")") +
    typed("response.output_text.delta",
          R"(,"sequence_number":6,"output_index":1,"content_index":0,"delta":"llo")") +
    typed(
        "response.output_item.added",
        R"(,"sequence_number":7,"output_index":2,"item":{"id":"f","type":"function_call","call_id":"c","name":"go","arguments":""})") +
    typed("response.function_call_arguments.delta",
          R"(,"sequence_number":8,"output_index":2,"delta":"{\"a\"")");

TEST(ResponsesReader, RebuildsAStreamThatWasCut) {
  const auto reader = read(Api::responses, responses_start);
  EXPECT_FALSE(reader->complete());
  EXPECT_EQ(reader->response_id(), "r1");
  EXPECT_EQ(reader->next_sequence_number(), 9);
  EXPECT_EQ(
      tree_of(*reader),
      parsed(R"({"id":"r1","object":"response","model":"gpt-5","status":"in_progress","output":[
      {"id":"rs","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},
      {"id":"m","type":"message","role":"assistant","content":[{"type":"output_text","text":"He\"llo","annotations":[]}]},
      {"id":"f","type":"function_call","call_id":"c","name":"go","arguments":"{\"a\""}]})"));
}

TEST(ResponsesReader, TakesTheWholeResponseOfTheLastEvent) {
  const std::string response =
      R"({"id":"r1","object":"response","model":"gpt-5-x","status":"completed","output":[{"type":"function_call"}],"usage":{"input_tokens":3,"output_tokens":4,"input_tokens_details":{"cached_tokens":2}}})";
  const auto reader = read(
      Api::responses, responses_start + typed("response.completed",
                                              R"(,"sequence_number":9,"response":)" + response));
  EXPECT_TRUE(reader->complete());
  EXPECT_EQ(reader->response_text(), response);
  EXPECT_EQ(reader->finish_reason(), "tool_calls");
  EXPECT_EQ(reader->usage()->prompt_tokens, 3);
  EXPECT_EQ(reader->usage()->cached_prompt_tokens, 2);
  EXPECT_EQ(reader->served_model(), "gpt-5-x");
}

TEST(ResponsesReader, KnowsHowAResponseEnds) {
  const auto incomplete = read(
      Api::responses,
      typed(
          "response.incomplete",
          R"(,"sequence_number":9,"response":{"id":"r","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}})"));
  EXPECT_EQ(incomplete->finish_reason(), "length");
  EXPECT_TRUE(incomplete->complete());
  const auto failed = read(
      Api::responses,
      typed(
          "response.failed",
          R"(,"sequence_number":9,"response":{"id":"r","status":"failed","error":{"code":"server_error","message":"secret"}})"));
  EXPECT_EQ(failed->error(), "error/server_error");
  EXPECT_EQ(
      read(Api::responses,
           typed("error",
                 R"(,"code":"rate_limit_exceeded","message":"m","param":null,"sequence_number":1)"))
          ->error(),
      "error/rate_limit_exceeded");
}

const std::string message_start = typed(
    "message_start",
    R"(,"message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":20,"output_tokens":1}})");
const std::string message_blocks =
    typed("content_block_start",
          R"(,"index":0,"content_block":{"type":"thinking","thinking":"","signature":""})") +
    typed("ping", "") +
    typed("content_block_delta",
          R"(,"index":0,"delta":{"type":"thinking_delta","thinking":"let me "})") +
    typed("content_block_delta",
          R"(,"index":0,"delta":{"type":"thinking_delta","thinking":"see"})") +
    typed("content_block_delta",
          R"(,"index":0,"delta":{"type":"signature_delta","signature":"c2ln"})") +
    typed("content_block_stop", R"(,"index":0)") +
    typed("content_block_start",
          R"(,"index":1,"content_block":{"type":"redacted_thinking","data":"xyz"})") +
    typed("content_block_stop", R"(,"index":1)") +
    typed("content_block_start",
          R"(,"index":2,"content_block":{"type":"text","text":"","citations":[]})") +
    typed("content_block_delta", R"(,"index":2,"delta":{"type":"text_delta","text":"It\n"})") +
    typed("content_block_delta",
          R"(,"index":2,"delta":{"type":"citations_delta","citation":{"url":"u"}})") +
    typed("content_block_delta", R"(,"index":2,"delta":{"type":"text_delta","text":"is"})") +
    typed("content_block_stop", R"(,"index":2)") +
    typed(
        "content_block_start",
        R"(,"index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"look","input":{}})") +
    typed("content_block_delta",
          R"(,"index":3,"delta":{"type":"input_json_delta","partial_json":""})") +
    typed("content_block_delta",
          R"(,"index":3,"delta":{"type":"input_json_delta","partial_json":"{\"q\": \"a\\"})");
const std::string message_end =
    typed("content_block_delta",
          R"(,"index":3,"delta":{"type":"input_json_delta","partial_json":"nb\"}"})") +
    typed("content_block_stop", R"(,"index":3)") + typed("surprise", R"(,"x":[1])") +
    typed(
        "message_delta",
        R"(,"delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":5})") +
    typed(
        "message_delta",
        R"(,"delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":7})") +
    typed("message_stop", "");

TEST(MessagesReader, PutsBlocksTogetherAndNeverSumsUsage) {
  const auto reader = read(Api::messages, message_start + message_blocks + message_end);
  EXPECT_TRUE(reader->complete());
  EXPECT_FALSE(reader->malformed());
  EXPECT_EQ(
      tree_of(*reader),
      parsed(R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
      {"type":"thinking","thinking":"let me see","signature":"c2ln"},
      {"type":"redacted_thinking","data":"xyz"},
      {"type":"text","text":"It\nis","citations":[{"url":"u"}]},
      {"type":"tool_use","id":"toolu_1","name":"look","input":{"q":"a\nb"}}],
      "stop_reason":"tool_use","stop_sequence":null,
      "usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":20,"output_tokens":7}})"));
  EXPECT_EQ(reader->usage()->prompt_tokens, 33);
  EXPECT_EQ(reader->usage()->cached_prompt_tokens, 20);
  EXPECT_EQ(reader->usage()->completion_tokens, 7);
  EXPECT_EQ(reader->finish_reason(), "tool_calls");
}

TEST(MessagesReader, KeepsWhatCameOfACutToolCall) {
  const auto reader = read(Api::messages, message_start + message_blocks);
  EXPECT_FALSE(reader->complete());
  const json::value call = tree_of(*reader).at("content").at(3);
  EXPECT_EQ(call.at("input"), json::object{});
  EXPECT_EQ(call.at("partial_json"), R"({"q": "a\)");
}

TEST(MessagesReader, AnEventWithoutItsBodySaysNothing) {
  const auto reader =
      read(Api::messages, message_start + typed("message_start", "") +
                              typed("content_block_start", R"(,"index":0)") +
                              typed("message_delta", R"(,"stop_reason":"end_turn")"));
  EXPECT_FALSE(reader->complete());
  EXPECT_EQ(tree_of(*reader).at("type"), "message");
  EXPECT_EQ(tree_of(*reader).at("content"), json::array{});
}

TEST(MessagesReader, ReadsErrorEvents) {
  const auto reader =
      read(Api::messages,
           message_start + typed("error", R"(,"error":{"type":"overloaded_error","message":"m"})"));
  EXPECT_EQ(reader->error(), "overloaded_error");
  EXPECT_EQ(reader->error_kind(), ErrorKind::overloaded);
  EXPECT_FALSE(reader->complete());
}

TEST(StreamErrors, EndEachApisStreamAsItsSdkExpects) {
  const ApiError error{.status = 502, .message = "gone", .type = {}, .code = "stream_interrupted"};
  const auto chat =
      read(Api::chat_completions,
           chat_stream.substr(0, 0) + stream_error(Api::chat_completions, error, nullptr));
  EXPECT_EQ(chat->error(), "server_error/stream_interrupted");
  EXPECT_FALSE(chat->done());

  const auto before = read(Api::responses, responses_start);
  const std::string ending = stream_error(Api::responses, error, before.get());
  EXPECT_THAT(ending, HasSubstr("event: response.failed\n"));
  const auto responses = read(Api::responses, responses_start + ending);
  EXPECT_EQ(responses->next_sequence_number(), 10);
  EXPECT_EQ(responses->error(), "error/stream_interrupted");
  EXPECT_EQ(tree_of(*responses).at("id"), "r1");
  EXPECT_EQ(tree_of(*responses).at("status"), "failed");
  EXPECT_EQ(tree_of(*responses).at("output").as_array().size(), 3U);
  EXPECT_THAT(stream_error(Api::responses, error, nullptr), HasSubstr("event: error\n"));

  EXPECT_EQ(
      read(Api::messages, message_start + stream_error(Api::messages, error, nullptr))->error(),
      "api_error");
}

TEST(StreamReader, RefusesAnEventAboveTheLimit) {
  const auto reader = StreamReader::make(Api::messages);
  EXPECT_FALSE(reader->feed(std::string(limits::sse_event_bytes_max + 1, 'x')));
}

}  // namespace
}  // namespace understudy::wire
