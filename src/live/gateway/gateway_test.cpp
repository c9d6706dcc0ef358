#include "live/gateway/gateway.hpp"

#include "adapters/wire/sse.hpp"
#include "base/limits.hpp"
#include "live/gateway/gateway_fixture.hpp"

namespace understudy::live {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing_peers::json_answer;
using testing_peers::post;

constexpr std::string_view chat_path = "/v1/chat/completions";
// Unusual spacing, an unknown field, an escape: what is relayed are these bytes, not our reading.
constexpr std::string_view request_body =
    R"({ "messages":[{"role":"user","content":"h\u0069"}],  "model":"m", "user":"ann","unknown":1.50})";
constexpr std::string_view answer_body =
    R"({"id":"c1", "model":"m-2",  "choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}})";

std::string chunk(std::string_view bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}

constexpr std::string_view sse_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nx-request-id: r7\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";
const std::string sse_body =
    "data: "
    "{\"id\":\"c\",\"model\":\"m-2\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
    "\"content\":\"Gr\xC3\xBC\xC3\x9F\"},\"finish_reason\":null}]}\r\n\r\n: comment\n\n"
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"e\"},\"finish_reason\":"
    "\"stop\"}]}\n\ndata: [DONE]\n\n";

ScriptedUpstream::Script always(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer, const Message&) { return peer.send(bytes); };
}

TEST_F(GatewayTest, JsonIsRelayedByteForByteAndRecorded) {
  ScriptedUpstream upstream(
      always(json_answer(answer_body, "x-request-id: r1\r\nopenai-version: 9\r\n")));
  start(upstream.url());
  const Message reply =
      ask(post(chat_path, request_body,
               "Authorization: Bearer sk-1\r\nX-Understudy-Session: s9\r\nX-Custom: kept\r\n"));
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.body, answer_body);
  EXPECT_EQ(reply.header("x-request-id"), "r1");
  EXPECT_EQ(reply.header("openai-version"), "9");
  EXPECT_EQ(reply.header("x-understudy-served-by"), "llm");
  EXPECT_EQ(reply.header("x-understudy-reason"), "no_task");

  const Message sent = upstream.requests().at(0);
  EXPECT_EQ(sent.body, request_body);
  EXPECT_THAT(sent.start_line, HasSubstr("POST /v1/chat/completions HTTP/1.1"));
  EXPECT_EQ(sent.header("authorization"), "Bearer sk-1");
  EXPECT_EQ(sent.header("x-custom"), "kept");
  EXPECT_EQ(sent.header("x-understudy-session"), "") << "our headers stay here";

  const std::vector<Call> calls = recorded();
  ASSERT_THAT(calls, SizeIs(1));
  const Call& call = calls[0];
  EXPECT_EQ(call.id.value, reply.header("x-understudy-call"));
  EXPECT_EQ(call.request.reveal(), request_body);
  EXPECT_EQ(call.response.reveal(), answer_body);
  EXPECT_EQ(call.status, CallStatus::ok);
  EXPECT_EQ(call.requested_model, "m");
  EXPECT_EQ(call.served_model, "m-2");
  EXPECT_EQ(call.finish_reason, "stop");
  EXPECT_EQ(call.usage.completion_tokens, 2);
  EXPECT_LE(call.started_at, call.first_byte_at);
  EXPECT_LE(call.first_byte_at, call.ended_at);
  EXPECT_THAT(call.origin.user, SizeIs(16));
  EXPECT_THAT(json::to_text(to_json(call)), Not(HasSubstr("sk-1")));
}

TEST_F(GatewayTest, AConfiguredKeyReplacesTheClients) {
  ScriptedUpstream upstream(always(json_answer(answer_body)));
  start(upstream.url(), "sk-gateway");
  EXPECT_EQ(ask(post(chat_path, request_body, "authorization: Bearer sk-client\r\n")).status(),
            200);
  const Message sent = upstream.requests().at(0);
  EXPECT_EQ(sent.header("authorization"), "Bearer sk-gateway");
  EXPECT_THAT(sent.head, Not(HasSubstr("sk-client")));
}

TEST_F(GatewayTest, HeadersOfTheHopStayBehind) {
  ScriptedUpstream upstream(
      always(json_answer(answer_body, "Connection: x-hop\r\nx-hop: 1\r\nKeep-Alive: 5\r\n")));
  start(upstream.url());
  const Message reply = ask(post(chat_path, request_body,
                                 "Connection: keep-alive, X-Drop\r\nX-Drop: 1\r\nTE: trailers\r\n"
                                 "Accept-Encoding: gzip\r\n"));
  for (const char* name : {"x-hop", "keep-alive"}) EXPECT_EQ(reply.header(name), "") << name;
  const Message sent = upstream.requests().at(0);
  for (const char* name : {"x-drop", "te", "accept-encoding"})
    EXPECT_EQ(sent.header(name), "") << name;
}

TEST_F(GatewayTest, StreamsAreRelayedByteForByteAtAnyChunkBorder) {
  for (const std::size_t step :
       {std::size_t{1}, std::size_t{7}, std::size_t{64}, sse_body.size()}) {
    ScriptedUpstream upstream([step](Peer& peer, const Message&) {
      peer.send(sse_head);
      for (std::size_t at = 0; at < sse_body.size(); at += step)
        peer.send(chunk(std::string_view(sse_body).substr(at, step)));
      return peer.send("0\r\n\r\n");
    });
    start(upstream.url());
    const Message reply = ask(post(chat_path, request_body));
    EXPECT_TRUE(reply.complete);
    EXPECT_EQ(reply.body, sse_body) << "in steps of " << step;
    EXPECT_EQ(reply.header("content-type"), "text/event-stream");
    EXPECT_EQ(reply.header("x-request-id"), "r7");
    stop();
  }
  const std::vector<Call> calls = recorded();
  ASSERT_THAT(calls, SizeIs(4));
  for (const Call& call : calls) {
    EXPECT_EQ(call.status, CallStatus::ok);
    EXPECT_EQ(call.finish_reason, "stop");
    EXPECT_TRUE(call.usage.estimated);
    EXPECT_EQ(json::parse(call.response.reveal())->at("choices").at(0).at("message").at("content"),
              "Gr\xC3\xBC\xC3\x9F"
              "e");
  }
}

TEST_F(GatewayTest, AStreamIsFlushedChunkByChunk) {
  std::atomic<bool> go_on = false;
  ScriptedUpstream upstream([&go_on](Peer& peer, const Message&) {
    peer.send(std::string(sse_head) + chunk("data: {\"choices\":[]}\n\n"));
    go_on.wait(false);
    return peer.send(chunk(sse_body) + "0\r\n\r\n");
  });
  start(upstream.url());
  Peer client = connect();
  client.send(post(chat_path, request_body));
  std::string seen;
  while (!seen.contains("choices")) {
    const std::string more = client.receive();
    if (more.empty()) break;
    seen += more;
  }
  EXPECT_THAT(seen, HasSubstr("data: {\"choices\":[]}\n\n")) << "while the upstream still writes";
  go_on = true;
  go_on.notify_all();
  EXPECT_EQ(client.receive().empty(), false);
}

TEST_F(GatewayTest, ARefusedConnectionIsA502ThatNamesTheUpstream) {
  std::string url;
  {
    url = ScriptedUpstream(always("")).url();
  }  // a port that nobody listens on now
  start(url);
  const Message reply = ask(post(chat_path, request_body));
  EXPECT_EQ(reply.status(), 502);
  EXPECT_THAT(reply.body, HasSubstr(url));
  EXPECT_TRUE(json::find_object(*json::parse(reply.body), "error"));
  const std::vector<Call> calls = recorded();
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].status, CallStatus::failed);
  EXPECT_EQ(calls[0].http_status, 502);
}

TEST_F(GatewayTest, AnUpstreamThatDiesBeforeTheFirstByteIsA502) {
  for (const std::string_view sent : {std::string_view(), sse_head}) {
    ScriptedUpstream upstream([sent](Peer& peer, const Message&) {
      peer.send(sent);
      peer.reset();
      return false;
    });
    start(upstream.url());
    EXPECT_EQ(ask(post(chat_path, request_body)).status(), 502) << "after: " << sent;
    stop();
  }
}

TEST_F(GatewayTest, AJsonAnswerThatIsCutIsA502AndNotHalfAnAnswer) {
  ScriptedUpstream upstream([](Peer& peer, const Message&) {
    const std::string whole = json_answer(answer_body);
    peer.send(std::string_view(whole).substr(0, whole.size() - 20));
    return false;
  });
  start(upstream.url());
  EXPECT_EQ(ask(post(chat_path, request_body)).status(), 502);
  const std::vector<Call> calls = recorded();
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_NE(calls[0].status, CallStatus::ok);
}

TEST_F(GatewayTest, ACutStreamEndsInAnErrorEventAndNeverInABrokenOne) {
  // Cut in the middle of an event: its half must not reach the client as data.
  const std::size_t second = sse_body.find("data: {", 10);
  ScriptedUpstream upstream([second](Peer& peer, const Message&) {
    peer.send(std::string(sse_head) + chunk(std::string_view(sse_body).substr(0, second + 30)));
    peer.reset();
    return false;
  });
  start(upstream.url());
  const Message reply = ask(post(chat_path, request_body));
  std::vector<json::value> events;
  wire::SseParser parser;
  ASSERT_TRUE(parser.feed(reply.body, [&events](const wire::SseEvent& event) {
    const auto tree = json::parse(event.data);
    ASSERT_TRUE(tree) << "a broken event was forwarded: " << event.data;
    events.push_back(*tree);
  }));
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_TRUE(events[1].at("error").at("message").is_string());
  EXPECT_THAT(reply.body, Not(HasSubstr("[DONE]")));
  const std::vector<Call> calls = recorded();
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].status, CallStatus::truncated);
  EXPECT_THAT(calls[0].response.reveal(), HasSubstr("Gr\xC3\xBC\xC3\x9F"));
}

TEST_F(GatewayTest, AStreamIsWholeFromItsOwnEndOnHoweverItsConnectionEnds) {
  ScriptedUpstream upstream([](Peer& peer, const Message&) {
    peer.send(std::string(sse_head) + chunk(sse_body));
    return false;
  });
  start(upstream.url());
  const Message reply = ask(post(chat_path, request_body));
  EXPECT_EQ(reply.body, sse_body);
  EXPECT_TRUE(reply.complete);
  const std::vector<Call> calls = recorded();
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].status, CallStatus::ok);
}

TEST_F(GatewayTest, AStreamThatEndsCleanlyButTooEarlyIsNotPassedOffAsWhole) {
  const std::size_t second = sse_body.find("data: {", 10);
  ScriptedUpstream upstream(always(
      std::string(sse_head) + chunk(std::string_view(sse_body).substr(0, second)) + "0\r\n\r\n"));
  start(upstream.url());
  EXPECT_THAT(ask(post(chat_path, request_body)).body, HasSubstr("\"error\""));
  EXPECT_EQ(recorded().at(0).status, CallStatus::truncated);
}

TEST_F(GatewayTest, AClientThatGoesAwayCancelsTheUpstreamAndIsRecorded) {
  for (const bool after_first_event : {false, true}) {
    std::atomic<bool> asked = false, cancelled = false;
    ScriptedUpstream upstream([&](Peer& peer, const Message&) {
      if (after_first_event)
        peer.send(std::string(sse_head) + chunk("data: {\"id\":\"c\",\"choices\":[{\"index\":0,"
                                                "\"delta\":{\"content\":\"par\"}}]}\n\n"));
      asked = true;
      asked.notify_all();
      cancelled = peer.wait_for_end() != Peer::End::still_open;
      cancelled.notify_all();
      return false;
    });
    start(upstream.url());
    {
      Peer client = connect();
      client.send(post(chat_path, request_body));
      asked.wait(false);
      if (after_first_event) {
        EXPECT_THAT(client.receive(), Not(testing::IsEmpty()));
      }
    }
    cancelled.wait(false);
    EXPECT_TRUE(cancelled);
    stop();
  }
  const std::vector<Call> calls = recorded();
  ASSERT_THAT(calls, SizeIs(2));
  for (const Call& call : calls) EXPECT_EQ(call.status, CallStatus::cancelled);
  EXPECT_THAT(calls[0].response.reveal() + calls[1].response.reveal(), HasSubstr("par"));
}

TEST_F(GatewayTest, ErrorsOfTheUpstreamAreRelayedAndNamed) {
  const std::string body = R"({"error":{"message":"slow down","type":"rate","code":429}})";
  ScriptedUpstream upstream(
      always("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nx-ratelimit-limit-requests: 9\r\n"
             "Content-Type: application/json\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body));
  start(upstream.url());
  const Message reply = ask(post(chat_path, request_body));
  EXPECT_EQ(reply.status(), 429);
  EXPECT_EQ(reply.header("retry-after"), "3");
  EXPECT_EQ(reply.header("x-ratelimit-limit-requests"), "9");
  EXPECT_EQ(reply.body, body);
  const std::vector<Call> calls = recorded();
  EXPECT_EQ(calls.at(0).status, CallStatus::upstream_error);
  EXPECT_EQ(calls.at(0).error, "rate/429");
}

TEST_F(GatewayTest, AnInterimAnswerIsNotTheAnswer) {
  ScriptedUpstream upstream(
      always("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + json_answer(answer_body)));
  start(upstream.url());
  const Message reply = ask(post(chat_path, request_body));
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.body, answer_body);
}

TEST_F(GatewayTest, LargeBodiesPassAndTooLargeOnesAre413) {
  ScriptedUpstream upstream(always(json_answer(answer_body)));
  start(upstream.url());
  const std::string large = R"({"messages":[{"role":"user","content":")" +
                            std::string(20 * limits::mebi, 'x') + R"("}]})";
  EXPECT_EQ(ask(post(chat_path, large)).status(), 200);
  EXPECT_EQ(upstream.requests().at(0).body.size(), large.size());
  const Message refused = ask(post(chat_path, std::string(limits::body_bytes_max + 1, 'x')));
  EXPECT_EQ(refused.status(), 413);
  EXPECT_TRUE(json::parse(refused.body));
}

TEST_F(GatewayTest, AnAnswerThatNoRecordHoldsPassesAndIsRecordedAsCut) {
  const std::string large(limits::body_bytes_max + 1'000'000, ' ');
  ScriptedUpstream upstream(
      [&](Peer& peer, const Message&) { return peer.send(json_answer(large + R"({"id":"x"})")); });
  start(upstream.url());
  Peer client = connect();
  ASSERT_TRUE(client.send(post(chat_path, request_body, "Connection: close\r\n")));
  std::size_t received = 0;
  for (std::string part = client.receive(); !part.empty(); part = client.receive())
    received += part.size();
  EXPECT_GT(received, large.size());
  const std::vector<Call> calls = recorded();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].status, CallStatus::truncated);
  EXPECT_EQ(calls[0].error, "answer_too_large_to_record");
  EXPECT_TRUE(calls[0].response.empty());
}

TEST_F(GatewayTest, WhatIsNoChatRequestIsA400InOpenAiShape) {
  ScriptedUpstream upstream(always(json_answer(answer_body)));
  start(upstream.url());
  for (const char* body : {"", "{oops", "[]", R"({"model":"m"})", "\"x\""}) {
    const Message reply = ask(post(chat_path, body));
    EXPECT_EQ(reply.status(), 400) << body;
    EXPECT_TRUE(json::find_object(*json::parse(reply.body), "error")) << body;
  }
  EXPECT_THAT(upstream.requests(), SizeIs(0));
}

TEST_F(GatewayTest, OtherPathsOfTheApiPassThroughUnrecorded) {
  ScriptedUpstream upstream(always(json_answer(R"({"data":[]})", "x-request-id: q\r\n")));
  start(upstream.url());
  const Message models = ask("GET /v1/models?limit=2 HTTP/1.1\r\nHost: g\r\n\r\n");
  EXPECT_EQ(models.body, R"({"data":[]})");
  EXPECT_EQ(models.header("x-request-id"), "q");
  EXPECT_THAT(upstream.requests().at(0).start_line, HasSubstr("GET /v1/models?limit=2 "));
  EXPECT_THAT(recorded(), SizeIs(0));
}

TEST_F(GatewayTest, NothingLeadsOutOfTheApi) {
  ScriptedUpstream upstream(always(json_answer("{}")));
  start(upstream.url());
  for (const char* target : {"/", "/admin", "/v1/../admin", "/v1/%2e%2E/admin", "/v1/x/..",
                             "/V1/models", "/v1/chat/completions/", "/v1/chat//completions",
                             "/v1/%63hat/completions", "/v1/Chat/Completions"}) {
    const Message reply = ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: g\r\n\r\n");
    EXPECT_EQ(reply.status(), 404) << target;
    EXPECT_TRUE(json::find_object(*json::parse(reply.body), "error")) << target;
  }
  EXPECT_THAT(upstream.requests(), SizeIs(0));
}

TEST_F(GatewayTest, ATargetThatNamesAHostStillGoesToTheConfiguredUpstream) {
  ScriptedUpstream upstream(always(json_answer("{}")));
  start(upstream.url());
  EXPECT_EQ(ask("GET http://127.0.0.1:1/v1/models HTTP/1.1\r\nHost: g\r\n\r\n").status(), 200);
  EXPECT_THAT(upstream.requests().at(0).start_line, HasSubstr("GET /v1/models "));
}

TEST_F(GatewayTest, ConnectionsAreKeptOnBothSides) {
  ScriptedUpstream upstream(always(json_answer(answer_body)));
  start(upstream.url());
  Peer client = connect();
  std::string rest;
  for (int i = 0; i < 50; ++i) {
    client.send(post(chat_path, request_body));
    EXPECT_EQ(read_message(client, rest).body, answer_body);
  }
  EXPECT_EQ(upstream.connections(), 1);
  EXPECT_THAT(recorded(), SizeIs(50));
}

TEST_F(GatewayTest, AKeptConnectionThatTheUpstreamClosedIsReplacedUnseen) {
  ScriptedUpstream upstream([](Peer& peer, const Message&) {
    peer.send(json_answer(answer_body));
    return false;  // closes although it promised to keep alive
  });
  start(upstream.url());
  Peer client = connect();
  std::string rest;
  for (int i = 0; i < 20; ++i) {
    client.send(post(chat_path, request_body));
    EXPECT_EQ(read_message(client, rest).status(), 200);
  }
}

TEST_F(GatewayTest, MalformedHttpIsRefusedAndSmugglingFails) {
  ScriptedUpstream upstream(always(json_answer(answer_body)));
  start(upstream.url());
  for (const char* request :
       {"nonsense\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Length: 5\r\n"
        "Content-Length: 6\r\n\r\nabcdef"}) {
    EXPECT_EQ(ask(request).status(), 400) << request;
  }
  const std::string bomb(limits::header_bytes_max + 10, 'h');
  EXPECT_EQ(ask("GET /health HTTP/1.1\r\nx: " + bomb + "\r\n\r\n").status(), 431);
  EXPECT_THAT(upstream.requests(), SizeIs(0));
}

TEST_F(GatewayTest, AClientThatWaitsForContinueGetsIt) {
  ScriptedUpstream upstream(always(json_answer(answer_body)));
  start(upstream.url());
  Peer client = connect();
  const std::string request = post(chat_path, request_body, "Expect: 100-continue\r\n");
  const std::size_t head = request.find("\r\n\r\n") + 4;
  client.send(std::string_view(request).substr(0, head));
  EXPECT_THAT(client.receive(), testing::StartsWith("HTTP/1.1 100"));
  client.send(std::string_view(request).substr(head));
  std::string rest;
  EXPECT_EQ(read_message(client, rest).status(), 200);
  EXPECT_EQ(upstream.requests().at(0).header("expect"), "");
}

TEST_F(GatewayTest, ThousandsOfConcurrentCallsAreAllRecorded) {
  constexpr int clients = 16, calls_each = 200;
  ScriptedUpstream upstream(always(json_answer(answer_body)));
  start(upstream.url());
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < clients; ++i) {
      threads.emplace_back([this, &answered] {
        Peer client = connect();
        std::string rest;
        for (int j = 0; j < calls_each; ++j) {
          client.send(post(chat_path, request_body));
          if (read_message(client, rest).body == answer_body) ++answered;
        }
      });
    }
  }
  EXPECT_EQ(answered, clients * calls_each);
  EXPECT_THAT(recorded(), SizeIs(clients * calls_each));
}

TEST_F(GatewayTest, HealthSaysWhatIsRecorded) {
  ScriptedUpstream upstream(always(json_answer(answer_body)));
  start(upstream.url());
  const Message reply = ask("GET /health HTTP/1.1\r\nHost: g\r\n\r\n");
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(json::parse(reply.body)->at("log"), "ok");
}

}  // namespace
}  // namespace understudy::live
