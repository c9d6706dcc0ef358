// What many large requests and answers at once do: they wait, or go unrecorded, within bounded
// memory.
#include <chrono>
#include <future>
#include <thread>

#include "live/gateway/gateway_fixture.hpp"

namespace understudy::live {
namespace {

using testing_peers::json_answer;
using testing_peers::post;

constexpr std::string_view chat_path = "/v1/chat/completions";
constexpr std::string_view request_body = R"({"messages":[{"role":"user","content":"hi"}]})";
constexpr std::string_view answer_body =
    R"({"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}]})";

using LargeBodies = GatewayTest;

std::string large_request(std::size_t bytes) {
  return post(chat_path,
              R"({"messages":[{"role":"user","content":")" + std::string(bytes, 'x') + R"("}]})");
}

TEST_F(LargeBodies, LargeRequestsWaitForMemoryAndSmallOnesDoNot) {
  std::promise<void> release;
  ScriptedUpstream upstream(
      [released = release.get_future().share()](Peer& peer, const Message& request) {
        if (request.body.size() > limits::mebi) released.wait();
        return peer.send(json_answer(answer_body));
      });
  body_memory_options_.bytes = 3 * limits::mebi;
  start(upstream.url());
  const std::string large = large_request(2 * limits::mebi);
  std::vector<std::future<int>> answers;
  for (int i = 0; i < 3; ++i)
    answers.push_back(std::async(std::launch::async, [&] { return ask(large).status(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(ask(post(chat_path, request_body)).status(), 200);
  EXPECT_EQ(upstream.requests().size(), 2U) << "a large one and the small one";
  release.set_value();
  for (auto& answer : answers) EXPECT_EQ(answer.get(), 200);
  EXPECT_EQ(recorded().size(), 4U);
}

TEST_F(LargeBodies, ALargeRequestThatWaitsTooLongIsToldToComeBack) {
  std::promise<void> release;
  ScriptedUpstream upstream([released = release.get_future().share()](Peer& peer, const Message&) {
    released.wait();
    return peer.send(json_answer(answer_body));
  });
  body_memory_options_ = {.bytes = limits::mebi, .wait_max = std::chrono::milliseconds(100)};
  start(upstream.url());
  auto first =
      std::async(std::launch::async, [&] { return ask(large_request(2 * limits::mebi)).status(); });
  while (upstream.requests().empty()) std::this_thread::yield();
  const Message refused = ask(large_request(100 * limits::kibi));
  EXPECT_EQ(refused.status(), 503);
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_TRUE(json::parse(refused.body));
  release.set_value();
  EXPECT_EQ(first.get(), 200);
}

TEST_F(LargeBodies, ALargeAnswerThatFindsNoMemoryPassesAndIsRecordedWithoutContent) {
  const std::string large = R"({"id":")" + std::string(4 * limits::mebi, 'x') + R"("})";
  ScriptedUpstream upstream(
      [&](Peer& peer, const Message&) { return peer.send(json_answer(large)); });
  body_memory_options_.bytes = limits::mebi;
  start(upstream.url());
  EXPECT_EQ(ask(post(chat_path, request_body)).body, large);
  const std::vector<Call> calls = recorded();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].error, "no_memory_to_record_answer");
  EXPECT_TRUE(calls[0].response.empty());
}

// A stream of 256 pieces of 16 KiB, as one that the upstream sends in whole.
std::string large_stream() {
  std::string events;
  const std::string piece(16 * limits::kibi, 'x');
  for (int i = 0; i < 256; ++i) {
    events +=
        R"(data: {"id":"c1","choices":[{"index":0,"delta":{"content":")" + piece + "\"}}]}\n\n";
  }
  return events +
         "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},"
         "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
}

class LargeStreams : public GatewayTest, public testing::WithParamInterface<std::string_view> {
 protected:
  // The one call that is recorded when a stream of 4 MiB passes.
  Call recorded_stream(std::uint64_t memory) {
    const std::string events = large_stream();
    ScriptedUpstream upstream([&](Peer& peer, const Message&) {
      return peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
                       std::to_string(events.size()) + "\r\n\r\n" + events);
    });
    body_memory_options_.bytes = memory;
    start(upstream.url());
    const Message reply = ask(post(
        GetParam(),
        R"({"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]})"));
    EXPECT_GT(reply.body.size(), 4 * limits::mebi) << "nothing is left out for the client";
    std::vector<Call> calls = recorded();
    EXPECT_EQ(calls.size(), 1U);
    EXPECT_EQ(body_memory().used_bytes, 0U);
    return calls.empty() ? Call{} : std::move(calls.front());
  }
};

TEST_P(LargeStreams, OneThatFindsNoMemoryPassesAndIsRecordedWithoutContent) {
  const Call call = recorded_stream(limits::mebi);
  EXPECT_EQ(call.error, "no_memory_to_record_answer");
  EXPECT_EQ(call.status, CallStatus::truncated);
  EXPECT_TRUE(call.response.empty());
  EXPECT_EQ(body_memory().unrecorded, 1U);
}

TEST_P(LargeStreams, OneThatFindsMemoryIsRecordedWhole) {
  const Call call = recorded_stream(64 * limits::mebi);
  EXPECT_EQ(call.error, "");
  EXPECT_GT(call.response.reveal().size(), 4 * limits::mebi);
}

INSTANTIATE_TEST_SUITE_P(RelayedAndTranslated, LargeStreams,
                         testing::Values(chat_path, "/v1/messages"));

}  // namespace
}  // namespace understudy::live
