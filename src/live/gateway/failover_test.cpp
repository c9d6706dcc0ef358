// What happens to a call when an upstream fails before it has given anything: another try, another
// upstream, a larger model, or an error that says so.
#include <atomic>
#include <chrono>
#include <thread>

#include "live/gateway/gateway_fixture.hpp"

namespace understudy::live {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing_peers::json_answer;
using testing_peers::post;

constexpr std::string_view chat_path = "/v1/chat/completions";
constexpr std::string_view request_body =
    R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
constexpr std::string_view answer_body =
    R"({"id":"c1","model":"m-2","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}]})";

std::string refusal(int status, std::string_view code, std::string_view headers = {}) {
  const std::string body =
      R"({"error":{"message":"no","type":"t","code":")" + std::string(code) + R"("}})";
  return "HTTP/1.1 " + std::to_string(status) + " No\r\nContent-Type: application/json\r\n" +
         std::string(headers) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

ScriptedUpstream::Script always(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer, const Message&) { return peer.send(bytes); };
}

// The first answer, then the other one for ever.
ScriptedUpstream::Script first_then(std::string first, std::string then) {
  auto asked = std::make_shared<std::atomic<int>>(0);  // shared: the script is copied
  return [first = std::move(first), then = std::move(then), asked](Peer& peer, const Message&) {
    const std::string& bytes = asked->fetch_add(1) == 0 ? first : then;
    return !bytes.empty() && peer.send(bytes);
  };
}

class FailoverTest : public GatewayTest {
 protected:
  GatewayConfig config(const std::vector<std::string>& urls) {
    GatewayConfig config = config_for(urls);
    config.retries.attempts_max = 3;
    config.retries.backoff = std::chrono::milliseconds(10);
    ModelConfig every{.name = "*", .targets = {}, .larger = {}};
    for (std::size_t i = 0; i < urls.size(); ++i)
      every.targets.push_back({.upstream = i, .model = {}});
    config.models.push_back(std::move(every));
    return config;
  }
  Message ask_chat() { return ask(post(chat_path, request_body)); }
};

TEST_F(FailoverTest, OneServerErrorIsTriedAgain) {
  ScriptedUpstream upstream(first_then(refusal(500, "oops"), json_answer(answer_body)));
  start(config({upstream.url()}));
  EXPECT_EQ(ask_chat().body, answer_body);
  const auto calls = recorded();
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].retries, 1);
  EXPECT_EQ(calls[0].status, CallStatus::ok);
}

TEST_F(FailoverTest, AResetConnectionIsTriedAgain) {
  ScriptedUpstream upstream(first_then("", json_answer(answer_body)));
  start(config({upstream.url()}));
  EXPECT_EQ(ask_chat().status(), 200);
}

TEST_F(FailoverTest, AnAnswerThatIsCutBeforeItsEndIsTriedAgain) {
  ScriptedUpstream upstream(
      [asked = std::make_shared<std::atomic<int>>(0)](Peer& peer, const Message&) {
        if (asked->fetch_add(1) > 0) return peer.send(json_answer(answer_body));
        peer.send(json_answer(answer_body).substr(0, 150));
        return false;
      });
  start(config({upstream.url()}));
  EXPECT_EQ(ask_chat().body, answer_body);
}

TEST_F(FailoverTest, AnAnswerThatIsNoJsonIsTriedAgain) {
  ScriptedUpstream upstream(
      first_then(json_answer(R"({"id":"c1", "choi)"), json_answer(answer_body)));
  start(config({upstream.url()}));
  EXPECT_EQ(ask_chat().body, answer_body);
}

TEST_F(FailoverTest, RetryAfterIsHonoured) {
  ScriptedUpstream upstream(first_then(refusal(429, "rate_limit_exceeded", "Retry-After: 0.3\r\n"),
                                       json_answer(answer_body)));
  start(config({upstream.url()}));
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(ask_chat().status(), 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(300));
}

TEST_F(FailoverTest, RetryAfterInMillisecondsComesFirst) {
  ScriptedUpstream upstream(
      first_then(refusal(429, "rate_limit_exceeded", "Retry-After: 60\r\nretry-after-ms: 300\r\n"),
                 json_answer(answer_body)));
  start(config({upstream.url()}));
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(ask_chat().status(), 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(300));
}

TEST_F(FailoverTest, ALongRetryAfterIsTheClientsToDecide) {
  ScriptedUpstream upstream(always(refusal(429, "rate_limit_exceeded", "Retry-After: 60\r\n")));
  start(config({upstream.url()}));
  const Message reply = ask_chat();
  EXPECT_EQ(reply.status(), 429);
  EXPECT_EQ(reply.header("retry-after"), "60");
  EXPECT_THAT(reply.body, HasSubstr("rate_limit_exceeded"));
  EXPECT_EQ(upstream.connections(), 1);
}

TEST_F(FailoverTest, AFallbackAnswersAtOnceAndIsNamedInTheRecord) {
  ScriptedUpstream broken(always(refusal(503, "down")));
  ScriptedUpstream sound(always(json_answer(answer_body)));
  start(config({broken.url(), sound.url()}));
  EXPECT_EQ(ask_chat().body, answer_body);
  const auto calls = recorded();
  EXPECT_EQ(calls.at(0).upstream, "upstream-1");
  EXPECT_EQ(calls.at(0).retries, 1);
}

TEST_F(FailoverTest, AnotherModelNameIsSplicedInForTheFallback) {
  ScriptedUpstream broken(always(refusal(503, "down")));
  ScriptedUpstream sound(always(json_answer(answer_body)));
  GatewayConfig with_name = config({broken.url(), sound.url()});
  with_name.models[0].targets[1].model = "other \"m\"";
  start(with_name);
  EXPECT_EQ(ask_chat().status(), 200);
  EXPECT_EQ(sound.requests().at(0).body,
            R"({"model":"other \"m\"","messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(recorded().at(0).request.reveal(), request_body)
      << "the record has what the client sent";
}

TEST_F(FailoverTest, TheClientsOwnFaultIsTriedNowhereElse) {
  ScriptedUpstream strict(always(refusal(400, "bad_parameter")));
  ScriptedUpstream other(always(json_answer(answer_body)));
  start(config({strict.url(), other.url()}));
  EXPECT_EQ(ask_chat().status(), 400);
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(FailoverTest, AContentFilterIsNeverRoutedAround) {
  ScriptedUpstream strict(always(refusal(400, "content_filter")));
  ScriptedUpstream other(always(json_answer(answer_body)));
  start(config({strict.url(), other.url()}));
  const Message reply = ask_chat();
  EXPECT_EQ(reply.status(), 400);
  EXPECT_THAT(reply.body, HasSubstr("content_filter"));
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(FailoverTest, ATooLongPromptGoesToTheLargerModel) {
  ScriptedUpstream upstream([](Peer& peer, const Message& request) {
    return peer.send(request.body.contains("\"large\"") ? json_answer(answer_body)
                                                        : refusal(400, "context_length_exceeded"));
  });
  GatewayConfig larger = config({upstream.url()});
  larger.models.push_back(
      {.name = "m", .targets = {{.upstream = 0, .model = {}}}, .larger = "big"});
  larger.models.push_back(
      {.name = "big", .targets = {{.upstream = 0, .model = "large"}}, .larger = {}});
  start(larger);
  EXPECT_EQ(ask_chat().body, answer_body);
}

TEST_F(FailoverTest, AWrongKeyAtOneUpstreamIsNoReasonToFail) {
  ScriptedUpstream locked(always(refusal(401, "invalid_api_key")));
  ScriptedUpstream open(always(json_answer(answer_body)));
  start(config({locked.url(), open.url()}));
  EXPECT_EQ(ask_chat().status(), 200);
}

TEST_F(FailoverTest, AStreamThatBeginsWithAnErrorIsTriedElsewhere) {
  const std::string event =
      "data: {\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n";
  ScriptedUpstream busy(
      always("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
             std::to_string(event.size()) + "\r\n\r\n" + event));
  ScriptedUpstream sound(always(json_answer(answer_body)));
  start(config({busy.url(), sound.url()}));
  EXPECT_EQ(ask_chat().body, answer_body);
}

TEST_F(FailoverTest, AStreamThatBeginsWithAnErrorEverywhereIsAnHttpError) {
  const std::string event =
      "data: {\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n";
  ScriptedUpstream busy(
      always("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
             std::to_string(event.size()) + "\r\n\r\n" + event));
  start(config({busy.url()}));
  const Message reply = ask_chat();
  EXPECT_EQ(reply.status(), 503);
  EXPECT_EQ(reply.header("content-type"), "application/json");
  EXPECT_THAT(reply.body, HasSubstr("busy"));
}

TEST_F(FailoverTest, TheBreakerOpensAndThenTheCallFailsAtOnce) {
  ScriptedUpstream broken(always(refusal(500, "down")));
  GatewayConfig fragile = config({broken.url()});
  fragile.retries.attempts_max = 1;
  fragile.breaker.failures = 2;
  start(fragile);
  EXPECT_EQ(ask_chat().status(), 500);
  EXPECT_EQ(ask_chat().status(), 500);
  const Message refused = ask_chat();
  EXPECT_EQ(refused.status(), 503);
  EXPECT_NE(refused.header("retry-after"), "");
  EXPECT_THAT(broken.requests(), SizeIs(2));
  EXPECT_THAT(recorded(), SizeIs(3));
}

// A long stream is not waited for: its first event has shown that the upstream is back.
TEST_F(FailoverTest, AStreamThatProbesHasShownEnoughByItsFirstEvent) {
  net::testing_peers::Event may_end;
  auto asked = std::make_shared<std::atomic<int>>(0);  // shared: the script is copied
  ScriptedUpstream upstream([&, asked](Peer& peer, const Message&) {
    const int call = asked->fetch_add(1);
    if (call == 0) return peer.send(refusal(500, "down"));
    if (call > 1) return peer.send(json_answer(answer_body));
    peer.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"par\"}}]}\n\n");
    may_end.wait();
    return false;
  });
  GatewayConfig fragile = config({upstream.url()});
  fragile.retries.attempts_max = 1;
  fragile.breaker.failures = 1;
  fragile.breaker.open = std::chrono::milliseconds(100);
  start(fragile);
  EXPECT_EQ(ask_chat().status(), 500);
  EXPECT_EQ(ask_chat().status(), 503) << "the breaker is open";
  std::this_thread::sleep_for(2 * fragile.breaker.open);

  Peer streaming = connect();
  streaming.send(post(chat_path, request_body));
  EXPECT_THAT(streaming.receive_until("par"), HasSubstr("par"));
  EXPECT_EQ(ask_chat().body, answer_body) << "the stream still runs";
  may_end.set();
}

TEST_F(FailoverTest, NoFirstByteWithinTheDeadlineIsTriedElsewhere) {
  ScriptedUpstream silent([](Peer& peer, const Message&) {
    peer.wait_for_end();
    return false;
  });
  ScriptedUpstream sound(always(json_answer(answer_body)));
  GatewayConfig hasty = config({silent.url(), sound.url()});
  hasty.upstreams[0].deadlines.first_byte = std::chrono::milliseconds(150);
  start(hasty);
  EXPECT_EQ(ask_chat().body, answer_body);
}

TEST_F(FailoverTest, AStalledStreamEndsInAnErrorEvent) {
  ScriptedUpstream stalling([](Peer& peer, const Message&) {
    const std::string event =
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"par\"}}]}\n\n";
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9000\r\n\r\n" +
              event);
    peer.wait_for_end();
    return false;
  });
  GatewayConfig hasty = config({stalling.url()});
  hasty.upstreams[0].deadlines.idle = std::chrono::milliseconds(150);
  start(hasty);
  const Message reply = ask_chat();
  EXPECT_THAT(reply.body, HasSubstr("par"));
  EXPECT_THAT(reply.body, HasSubstr("\"error\""));
  EXPECT_THAT(reply.body, testing::Not(HasSubstr("[DONE]")));
  const auto calls = recorded();
  EXPECT_EQ(calls.at(0).status, CallStatus::truncated);
  EXPECT_THAT(calls.at(0).response.reveal(), HasSubstr("par"));
}

TEST_F(FailoverTest, DurableCaptureHasTheCallOnTheDiskBeforeItsAnswerIsWhole) {
  recorder_options_.mode = CaptureMode::durable;
  ScriptedUpstream upstream(always(json_answer(answer_body)));
  start(config({upstream.url()}));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ask_chat().body, answer_body);
    EXPECT_THAT(on_the_disk(), SizeIs(i + 1));
  }
  EXPECT_EQ(recorded().at(0).response.reveal(), answer_body);
}

}  // namespace
}  // namespace understudy::live
