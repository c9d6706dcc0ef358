#include <atomic>

#include "adapters/wire/chat_stream.hpp"
#include "live/gateway/gateway_fixture.hpp"

namespace understudy::live {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing_peers::json_answer;
using testing_peers::post;

constexpr std::string_view llm_answer =
    R"({"model":"llm","choices":[{"index":0,"message":{"content":"from the llm"},"finish_reason":"stop"}]})";

std::string question(std::string_view more = {}) {
  return post("/v1/chat/completions",
              R"({"model":"m",)" + std::string(more) +
                  R"("messages":[{"role":"user","content":"Is it so? The sky"}]})");
}

lm::Prediction says(std::string text, double confidence) {
  return {.answer = {.text = std::move(text), .tool_calls = {}},
          .confidence = confidence,
          .prompt_tokens = 4,
          .completion_tokens = 1};
}

class SmallModelRoute : public GatewayTest {
 protected:
  ScriptedUpstream upstream_{
      [](Peer& peer, const Message&) { return peer.send(json_answer(llm_answer)); }};
};

TEST_F(SmallModelRoute, ASureAndValidAnswerIsServedWithoutTheLlm) {
  publish_task([](const auto& slots) -> Result<lm::Prediction> {
    EXPECT_THAT(slots, testing::SizeIs(1));
    return says("Yes", 0.9);
  });
  start(upstream_.url());
  wait_for_model();
  const Message reply = ask(question());
  EXPECT_EQ(reply.header("x-understudy-served-by"), "slm");
  EXPECT_EQ(reply.header("x-understudy-task"), "t-0123456789");
  EXPECT_EQ(reply.header("x-understudy-reason"), "accepted");
  EXPECT_EQ(reply.header("x-understudy-model"), "classifier-a-1");
  EXPECT_THAT(reply.header("x-understudy-confidence"), testing::StartsWith("0.9"));
  const auto body = json::parse(reply.body);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->at("model"), "classifier-a-1");  // kind and content
  EXPECT_EQ(body->at("choices").at(0).at("message").at("content"), "Yes");
  EXPECT_EQ(body->at("usage").at("prompt_tokens"), 4);
  EXPECT_THAT(upstream_.requests(), SizeIs(0));
  const std::vector<Call> calls = recorded();
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].route.server, Server::slm);
  EXPECT_EQ(calls[0].route.task, "t-0123456789");
  EXPECT_EQ(calls[0].status, CallStatus::ok);
}

TEST_F(SmallModelRoute, AStreamIsServedAsAStream) {
  publish_task([](const auto&) -> Result<lm::Prediction> { return says("no", 1); });
  start(upstream_.url());
  wait_for_model();
  const Message reply = ask(question(R"("stream":true,"stream_options":{"include_usage":true},)"));
  EXPECT_THAT(reply.header("content-type"), HasSubstr("text/event-stream"));
  wire::ChatStream stream;
  ASSERT_TRUE(stream.feed(reply.body));
  EXPECT_TRUE(stream.done());
  EXPECT_EQ(stream.completion().at("choices").at(0).at("message").at("content"), "no");
  EXPECT_EQ(stream.completion().at("usage").at("completion_tokens"), 1);
}

// The policy's confidence reads the margin: of two answers whose least sure tokens are as likely,
// one is taken.
TEST_F(SmallModelRoute, TheConfidenceThatWasProvenDecides) {
  auto margin = std::make_shared<double>(3);
  publish_task(
      [margin](const auto&) -> Result<lm::Prediction> {
        lm::Prediction said = says("yes", 0.5);
        said.signs = signs_of({-0.7}, {*margin});
        return said;
      },
      [](TaskPolicy& task) {
        task.confidence =
            ConfidenceModel{.weights = {0, 0, 0, 1, 0, 0, 0, 0},
                            .curve = {{.score = 0, .value = 0.1}, {.score = 2, .value = 0.95}}};
      });
  start(upstream_.url());
  wait_for_model();
  const Message taken = ask(question());
  EXPECT_EQ(taken.header("x-understudy-reason"), "accepted");
  EXPECT_THAT(taken.header("x-understudy-confidence"), testing::StartsWith("0.95"));
  *margin = 0.2;
  EXPECT_EQ(ask(question()).header("x-understudy-reason"), "low_confidence");
}

TEST_F(SmallModelRoute, SeveralSamplesVoteAndEachIsCounted) {
  auto asked = std::make_shared<std::atomic<int>>(0);
  publish_task(
      [asked](const auto&) -> Result<lm::Prediction> {
        return says((*asked)++ % 3 == 0 ? "no" : "yes", 0.9);
      },
      [](TaskPolicy& task) {
        task.self_consistency = {.samples = 3, .temperature = 0.5};
        task.threshold = 0.6;
      });
  start(upstream_.url());
  wait_for_model();
  const Message reply = ask(question());
  EXPECT_EQ(reply.header("x-understudy-reason"), "accepted");
  const auto body = json::parse(reply.body);
  ASSERT_TRUE(body);
  EXPECT_EQ(body->at("choices").at(0).at("message").at("content"), "yes");
  EXPECT_EQ(body->at("usage").at("prompt_tokens"), 12);
  EXPECT_EQ(body->at("usage").at("completion_tokens"), 3);
  EXPECT_EQ(*asked % 3, 0) << "three times each call";
}

TEST_F(SmallModelRoute, WhatIsNotSureOrNotValidFallsBackUnseen) {
  struct Case {
    Result<lm::Prediction> prediction;
    std::string reason;
  };
  const std::vector<Case> cases = {
      {says("yes", 0.79), "low_confidence"},
      {says("perhaps", 0.99), "invalid_answer"},
      {fail(ErrorCode::unsupported, "too long"), "slm_unsupported"},
      {fail(ErrorCode::internal, "broken"), "slm_error"},
  };
  // Shared with the model's calls on the pool.
  auto current = std::make_shared<std::atomic<std::size_t>>(0);
  publish_task([&cases, current](const auto&) { return cases[*current].prediction; });
  start(upstream_.url());
  wait_for_model();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    *current = i;
    const Message reply = ask(question());
    EXPECT_EQ(reply.status(), 200);
    EXPECT_EQ(reply.body, llm_answer);
    EXPECT_EQ(reply.header("x-understudy-served-by"), "llm");
    EXPECT_EQ(reply.header("x-understudy-reason"), cases[i].reason);
    EXPECT_EQ(reply.header("x-understudy-task"), "t-0123456789");
  }
  EXPECT_THAT(recorded(), SizeIs(cases.size()));
}

TEST_F(SmallModelRoute, ADeadModelLeavesTheCallsToTheLlm) {
  auto alive = std::make_shared<std::atomic<bool>>(true);
  publish_task([alive](const auto&) -> Result<lm::Prediction> {
    if (!*alive) return fail(ErrorCode::unavailable, "llama-server is away");
    return says("yes", 1);
  });
  start(upstream_.url());
  wait_for_model();
  *alive = false;
  for (int i = 0; i < 3; ++i) {
    const Message reply = ask(question());
    EXPECT_EQ(reply.body, llm_answer);
    EXPECT_EQ(reply.header("x-understudy-reason"), "slm_error");
  }
}

TEST_F(SmallModelRoute, OtherPromptsToolsAndFormsAreNotTheTasks) {
  publish_task([](const auto&) -> Result<lm::Prediction> { return says("yes", 1); });
  start(upstream_.url());
  wait_for_model();
  for (const std::string& request :
       {post("/v1/chat/completions", R"({"messages":[{"role":"user","content":"Why?"}]})"),
        question(R"("tools":[{"function":{"name":"f"}}],)"),
        question(R"("response_format":{"type":"json_object"},)")}) {
    EXPECT_EQ(ask(request).header("x-understudy-reason"), "no_task");
  }
  EXPECT_EQ(ask(question(R"("n":2,)")).header("x-understudy-reason"), "slm_unsupported");
  EXPECT_THAT(upstream_.requests(), SizeIs(4));
}

}  // namespace
}  // namespace understudy::live
