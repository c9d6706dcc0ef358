#include "adapters/wire/sse.hpp"

#include <gmock/gmock.h>

#include "adapters/wire/chat.hpp"
#include "adapters/wire/chat_stream.hpp"
#include "base/limits.hpp"

namespace understudy::wire {
namespace {

using testing::ElementsAre;

std::vector<std::string> data_of(std::string_view text, std::size_t step) {
  std::vector<std::string> data;
  SseParser parser;
  for (std::size_t at = 0; at < text.size(); at += step) {
    EXPECT_TRUE(parser.feed(text.substr(at, step),
                            [&](const SseEvent& event) { data.push_back(event.data); }));
  }
  return data;
}

TEST(SseParser, TakesEveryLineEndingAtEveryChunkBorder) {
  for (const char* text : {"data: a\n\ndata: b\ndata: c\n\n", "data: a\r\rdata: b\rdata: c\r\r",
                           "data: a\r\n\r\ndata: b\r\ndata: c\r\n\r\n"}) {
    for (std::size_t step = 1; step < 12; ++step)
      EXPECT_THAT(data_of(text, step), ElementsAre("a", "b\nc")) << text << " by " << step;
  }
}

TEST(SseParser, SkipsCommentsOtherFieldsAndEventsWithoutData) {
  EXPECT_THAT(data_of(": hello\nid: 7\nretry: 9\n\nevent: ping\n\ndata:x\n\ndata\n\n", 3),
              ElementsAre("x", ""));
}

TEST(SseParser, RefusesAnEventAboveTheLimit) {
  SseParser parser;
  const Status status =
      parser.feed(std::string(limits::sse_event_bytes_max + 1, 'x'), [](const SseEvent&) {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::exhausted);
}

TEST(ChatStream, PutsToolCallDeltasTogether) {
  ChatStream stream;
  ASSERT_TRUE(stream.feed(
      R"(data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"t1","type":"function","function":{"name":"look","arguments":""}}]}}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","function":{"arguments":"{\"a\":"}},{"index":1,"id":"t2","function":{"name":"go","arguments":"{}"}}]}}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"}]}

data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}

data: [DONE]

)"));
  EXPECT_TRUE(stream.done());
  EXPECT_EQ(stream.completion().at("usage").at("completion_tokens"), 4);
  const Result<Answer> answer = parse_answer(stream.completion());
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->tool_calls,
              ElementsAre(ToolCall{"t1", "look", R"({"a":1})"}, ToolCall{"t2", "go", "{}"}));
  EXPECT_EQ(json::to_text(stream.completion().at("choices").at(0).at("finish_reason")),
            R"("tool_calls")");
}

TEST(ChatStream, AStreamThatWasCutKeepsWhatCame) {
  ChatStream stream;
  ASSERT_TRUE(
      stream.feed("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}"
                  "\n\ndata: {\"id\":\"c\",\"cho"));
  EXPECT_FALSE(stream.done());
  EXPECT_FALSE(stream.finished());
  EXPECT_EQ(parse_answer(stream.completion())->text, "Hel");
}

TEST(ChatStream, NotesErrorsAndMalformedEvents) {
  ChatStream stream;
  ASSERT_TRUE(stream.feed(
      "data: {oops\n\ndata: {\"error\":{\"message\":\"secret\",\"type\":\"server_error\","
      "\"code\":500}}\n\n"));
  EXPECT_TRUE(stream.malformed());
  EXPECT_EQ(stream.error(), "server_error/500");
  EXPECT_TRUE(stream.completion().at("choices").as_array().empty());
}

TEST(ChatStream, ReadsWhatToChatStreamWrites) {
  const Answer text{.text = "Grüße, \"Welt\"\n", .tool_calls = {}};
  const Answer tools{.text = "",
                     .tool_calls = {{"id1", "look", R"({"q":"x"})"}, {"id2", "go", "{}"}}};
  for (const Answer& answer : {text, tools}) {
    ChatStream stream;
    ASSERT_TRUE(stream.feed(
        to_chat_stream(answer, {.id = "c", .model = "m", .created_s = 1, .usage = {5, 6}})));
    EXPECT_TRUE(stream.done());
    const Result<Answer> again = parse_answer(stream.completion());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->text, answer.text);
    EXPECT_EQ(again->tool_calls, answer.tool_calls);
  }
}

}  // namespace
}  // namespace understudy::wire
