#include "adapters/net/upstream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "adapters/net/test_peers.hpp"
#include "base/limits.hpp"

namespace understudy::net {
namespace {

using namespace testing_peers;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<Upstream> upstream_at(const std::string& url, const UpstreamOptions& options = {}) {
  auto made = Upstream::create(url, options);
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().to_text());
  return made ? *std::move(made) : nullptr;
}

struct Answered {
  unsigned status = 0;
  std::string body;
  Headers headers;
};

Async<Result<std::string>> read_all(UpstreamCall& call) {
  std::string body;
  while (true) {
    auto part = co_await call.read();
    if (!part) co_return part;
    if (part->empty()) co_return body;
    body += *part;
  }
}

Async<Result<Answered>> ask(Upstream& upstream, std::string body, Deadlines deadlines = {},
                            std::string method = "POST") {
  UpstreamCall call(upstream, deadlines);
  const std::array<std::string_view, 1> parts = {body};
  Headers headers;
  headers.add("Content-Type", "application/json");
  if (auto sent = co_await call.send(method, "/v1/chat/completions", headers, parts); !sent)
    co_return fail(sent.error());
  auto read = co_await read_all(call);
  if (!read) co_return fail(read.error());
  co_return Answered{call.status(), *read, call.headers()};
}

Result<Answered> ask_once(Upstream& upstream, const std::string& body = "{}",
                          Deadlines deadlines = {}) {
  return run_async(ask(upstream, body, deadlines));
}

// The upstream reads one request of each connection and then says this.
ScriptedServer::Script says(std::string bytes) {
  return [bytes](Peer& peer) {
    peer.receive_message();
    peer.send(bytes);
  };
}

void expect_fault(const ScriptedServer::Script& script, ErrorCode code, std::string_view word,
                  Deadlines deadlines = {}) {
  const ScriptedServer server(script);
  const auto upstream = upstream_at(server.url());
  const auto answered = ask_once(*upstream, "{\"secret\":1}", deadlines);
  ASSERT_FALSE(answered.has_value()) << word;
  EXPECT_EQ(answered.error().code, code) << answered.error().message;
  EXPECT_THAT(answered.error().message, HasSubstr(std::string(word)));
  EXPECT_THAT(answered.error().message, HasSubstr(server.url()));
  EXPECT_THAT(answered.error().message, Not(HasSubstr("secret")));
}

TEST(UpstreamCall, SendsWhatItIsGivenAndFramesItItself) {
  std::string seen;
  const ScriptedServer server([&](Peer& peer) {
    seen = peer.receive_message();
    peer.send(answer("hi", "X-A: 1\r\nx-b: 2\r\n"));
  });
  const auto upstream =
      upstream_at("http://127.0.0.1:" + std::to_string(server.port()) + "/base/v1/");
  run_async([](Upstream& to) -> Async<void> {
    UpstreamCall call(to, {});
    Headers headers;
    headers.add("Authorization", "Bearer key");
    headers.add("Host", "elsewhere");
    headers.add("Expect", "100-continue");
    headers.add("Content-Length", "99");
    headers.add("Transfer-Encoding", "chunked");
    headers.add("Connection", "keep-alive, X-Hop");
    headers.add("X-Hop", "1");
    const std::array<std::string_view, 4> parts = {"{\"model\":", "", "\"m\"", "}"};
    const auto sent = co_await call.send("POST", "/v1/chat/completions?x=1", headers, parts);
    EXPECT_TRUE(sent.has_value());
    EXPECT_EQ(call.status(), 200U);
    EXPECT_EQ(call.headers().find("x-a"), "1");
    EXPECT_EQ(call.headers().find("X-B"), "2");
    EXPECT_EQ(call.content_length(), 2U);
    EXPECT_FALSE(call.finished());
    EXPECT_EQ(*co_await call.read(), "hi");
    EXPECT_TRUE(call.finished());
    EXPECT_EQ(*co_await call.read(), "");
  }(*upstream));
  EXPECT_EQ(seen,
            "POST /base/v1/chat/completions?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" +
                std::to_string(server.port()) +
                "\r\nAuthorization: Bearer key\r\nContent-Length: 13\r\n\r\n{\"model\":\"m\"}");
}

TEST(UpstreamCall, ReusesAConnection) {
  const ScriptedServer server([](Peer& peer) {
    while (!peer.receive_message().empty()) peer.send(answer("ok"));
  });
  const auto upstream = upstream_at(server.url());
  run_async([](Upstream& to) -> Async<void> {
    for (int i = 0; i < 5; ++i) EXPECT_EQ((co_await ask(to, "{}"))->body, "ok");
  }(*upstream));
  EXPECT_EQ(server.connections(), 1);
}

TEST(UpstreamCall, DoesNotReuseWhatMustEnd) {
  for (const std::string& bytes : {answer("ok", "Connection: close\r\n"), answer("ok") + "surplus",
                                   std::string("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")}) {
    const ScriptedServer server([&](Peer& peer) {
      while (!peer.receive_message().empty()) peer.send(bytes);
    });
    const auto upstream = upstream_at(server.url());
    run_async([](Upstream& to) -> Async<void> {
      for (int i = 0; i < 2; ++i) EXPECT_EQ((co_await ask(to, "{}"))->body, "ok");
    }(*upstream));
    EXPECT_EQ(server.connections(), 2) << bytes;
  }
}

TEST(UpstreamCall, ReplacesAStaleConnectionUnseen) {
  // Closed while idle; and closed on the second request, as servers do that time out just then.
  for (const bool on_request : {false, true}) {
    const ScriptedServer server([on_request](Peer& peer) {
      peer.receive_message();
      peer.send(answer("ok"));
      if (on_request) peer.receive_message();
    });
    const auto upstream = upstream_at(server.url());
    run_async([](Upstream& to) -> Async<void> {
      for (int i = 0; i < 3; ++i) {
        const auto answered = co_await ask(to, "{}");
        EXPECT_TRUE(answered.has_value()) << answered.error().message;
      }
    }(*upstream));
    EXPECT_EQ(server.connections(), 3);
  }
}

TEST(UpstreamCall, NeverRepeatsWhatWasPartlyAnswered) {
  std::atomic<int> requests{0};
  const ScriptedServer server([&](Peer& peer) {
    while (!peer.receive_message().empty()) {
      if (++requests == 2) {
        peer.send("HTTP/1.1 200");
        return;
      }
      peer.send(answer("ok"));
    }
  });
  const auto upstream = upstream_at(server.url());
  run_async([](Upstream& to) -> Async<void> {
    EXPECT_TRUE((co_await ask(to, "{}")).has_value());
    EXPECT_EQ((co_await ask(to, "{}")).error().code, ErrorCode::unavailable);
  }(*upstream));
  EXPECT_EQ(requests, 2);
}

TEST(UpstreamCall, ReadsChunksAsTheyCome) {
  Event first_read;
  const ScriptedServer server([&](Peer& peer) {
    peer.receive_message();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    first_read.wait();
    peer.send("5\r\nthr");
    peer.send("ee\r\n0\r\nX-Trailer: 1\r\n\r\n");
    peer.receive();
  });
  const auto upstream = upstream_at(server.url());
  run_async([](Upstream& to, Event& read) -> Async<void> {
    UpstreamCall call(to, {});
    EXPECT_TRUE((co_await call.send("GET", "/", {}, {})).has_value());
    EXPECT_EQ(*co_await call.read(), "one");
    read.set();
    EXPECT_EQ(*co_await read_all(call), "three");
    EXPECT_FALSE(call.headers().find("x-trailer").has_value());
  }(*upstream, first_read));
}

TEST(UpstreamCall, ReadsBodiesOfEveryFraming) {
  const struct {
    std::string bytes;
    std::string body;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"},
      {"HTTP/1.1 204 No Content\r\n\r\n", ""},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer("late"),
       "late"},
      {"HTTP/1.1 500 \r\nContent-Length: 2\r\n\r\nno", "no"},
  };
  for (const auto& tested : cases) {
    const ScriptedServer server(says(tested.bytes));
    const auto upstream = upstream_at(server.url());
    const auto answered = ask_once(*upstream);
    ASSERT_TRUE(answered.has_value()) << answered.error().message << tested.bytes;
    EXPECT_EQ(answered->body, tested.body);
    EXPECT_FALSE(answered->headers.find("link").has_value());
  }
}

TEST(UpstreamCall, ReadsTheAnswerToAHead) {
  const ScriptedServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    peer.receive();
  });
  const auto upstream = upstream_at(server.url());
  run_async([](Upstream& to) -> Async<void> {
    UpstreamCall call(to, {});
    EXPECT_TRUE((co_await call.send("HEAD", "/", {}, {})).has_value());
    EXPECT_TRUE(call.finished());
    EXPECT_EQ(call.headers().find("content-length"), "5");
  }(*upstream));
}

TEST(UpstreamCall, CarriesLargeBodiesBothWays) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    EXPECT_TRUE((co_await exchange.read_body()).has_value());
    co_await exchange.send(200, {}, exchange.request().body);
  });
  const auto upstream = upstream_at("http://127.0.0.1:" + std::to_string(server.port()));
  std::string body(32 << 20, 'x');
  for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  const auto answered = ask_once(*upstream, body);
  ASSERT_TRUE(answered.has_value());
  EXPECT_TRUE(answered->body == body);
}

TEST(UpstreamCall, RefusesWhatWouldBreakTheRequestLine) {
  const auto upstream = upstream_at("http://127.0.0.1:1");
  for (const std::string path : {"/a b", "/a\r\nX: 1", "", "@elsewhere/"}) {
    run_async([](Upstream& to, std::string target) -> Async<void> {
      UpstreamCall call(to, {});
      EXPECT_EQ((co_await call.send("GET", target, {}, {})).error().code, ErrorCode::invalid_input);
    }(*upstream, path));
  }
}

// --- Faults -------------------------------------------------------------------------------------

TEST(UpstreamFault, NobodyListens) {
  std::string url;
  {
    const ScriptedServer gone([](Peer&) {});
    url = gone.url();
  }
  const auto answered = ask_once(*upstream_at(url));
  ASSERT_FALSE(answered.has_value());
  EXPECT_EQ(answered.error().code, ErrorCode::unavailable);
}

TEST(UpstreamFault, NameWithoutAddress) {
  const auto answered =
      ask_once(*upstream_at("http://no-such-host.invalid"), "{}", {.connect = 2s});
  ASSERT_FALSE(answered.has_value());
  EXPECT_THAT(answered.error().code, ::testing::AnyOf(ErrorCode::unavailable, ErrorCode::timeout));
}

TEST(UpstreamFault, CutsAndGarbage) {
  const auto cut = ErrorCode::unavailable;
  expect_fault([](Peer& peer) { peer.receive_message(); }, cut, "without an answer");
  expect_fault([](Peer& peer) { peer.receive_message(), peer.reset(); }, cut, "without an answer");
  expect_fault([](Peer& peer) { peer.reset(); }, cut, "cannot reach");
  expect_fault(says("SSH-2.0-OpenSSH_9\r\n\r\n"), cut, "no HTTP answer");
  expect_fault(says("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')), cut, "no HTTP answer");
  expect_fault(says("HTTP/1.1 101 Switching Protocols\r\n\r\n"), cut, "no HTTP answer");
  expect_fault(says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), cut,
               "no HTTP answer");
  expect_fault(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"), cut, "cut its answer");
  expect_fault(says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), cut,
               "cut its answer");
  expect_fault(says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), cut,
               "framed its answer badly");
  std::string hints;
  for (int i = 0; i <= limits::interim_answers_max; ++i) hints += "HTTP/1.1 103 Hint\r\n\r\n";
  expect_fault(says(hints + answer("ok")), cut, "no HTTP answer");
}

void stay(Peer& peer) { peer.wait_for_end(); }

TEST(UpstreamFault, Stalls) {
  const auto late = ErrorCode::timeout;
  expect_fault(stay, late, "no answer in time", {.first_byte = 80ms});
  const auto half_a_head = [](Peer& peer) {
    peer.receive_message();
    peer.send("HTTP/1.1 200 OK\r\nX-");
    stay(peer);
  };
  expect_fault(half_a_head, late, "no answer in time", {.first_byte = 80ms});
  const auto half_a_body = [](Peer& peer) {
    peer.receive_message();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    stay(peer);
  };
  expect_fault(half_a_body, late, "stalled", {.idle = 80ms});
  expect_fault(half_a_body, late, "whole call", {.total = 80ms});
  expect_fault(stay, late, "whole call", {.total = 80ms});
}

TEST(UpstreamFault, TricklesUntilTheTotalDeadline) {
  const auto trickle = [](Peer& peer) {
    peer.receive_message();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.wait_for_end(10) == Peer::End::still_open && peer.send("1\r\nx\r\n")) {
    }
  };
  expect_fault(trickle, ErrorCode::timeout, "whole call", {.idle = 5s, .total = 100ms});
}

TEST(UpstreamFault, DoesNotTakeTheRequest) {
  const ScriptedServer server([](Peer& peer) { peer.wait_without_reading(); });
  const auto answered =
      ask_once(*upstream_at(server.url()), std::string(16 << 20, 'x'), {.idle = 100ms});
  ASSERT_FALSE(answered.has_value());
  EXPECT_EQ(answered.error().code, ErrorCode::timeout);
}

TEST(UpstreamFault, AnswersBeforeItHasTheRequest) {
  const ScriptedServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
    peer.wait_without_reading();
  });
  const auto upstream = upstream_at(server.url());
  const auto answered = ask_once(*upstream, std::string(16 << 20, 'x'));
  ASSERT_TRUE(answered.has_value()) << answered.error().message;
  EXPECT_EQ(answered->status, 413U);
  EXPECT_EQ(answered->body, "big");
}

// --- Ends that the caller brings about
// -------------------------------------------------------------

Clock::duration time_to_cancel(const ScriptedServer& server, Event& reached, Event& closed) {
  const auto upstream = upstream_at(server.url());
  Clock::duration noticed = Clock::duration::max();
  run_async([](Upstream& to, Event& there, Event& end, Clock::duration& took) -> Async<void> {
    UpstreamCall call(to, {});
    start_detached([](UpstreamCall& cancelled, Event& when) -> Async<void> {
      while (!when.wait(0)) co_await sleep_for(1ms);
      cancelled.cancel();
    }(call, there));
    ErrorCode code = ErrorCode::internal;
    Clock::time_point at;
    if (const auto sent = co_await call.send("POST", "/", {}, {}); !sent) {
      code = sent.error().code;
    } else {
      code = (co_await read_all(call)).error().code;
    }
    EXPECT_EQ(code, ErrorCode::cancelled);
    at = Clock::now();
    EXPECT_TRUE(end.wait()) << "the upstream sees the end";
    took = Clock::now() - at;
    EXPECT_EQ((co_await call.read()).error().code, ErrorCode::cancelled) << "and stays so";
  }(*upstream, reached, closed, noticed));
  return noticed;
}

void expect_prompt_cancel(std::string_view answered_before) {
  // The best of some: on a busy machine a thread can wait longer for a core than for the notice.
  Clock::duration best = Clock::duration::max();
  for (int i = 0; i < 5 && best > 50ms; ++i) {
    Event reached;
    Event closed;
    const ScriptedServer server([&](Peer& peer) {
      peer.receive_message();
      peer.send(answered_before);
      reached.set();
      if (peer.wait_for_end() != Peer::End::still_open) closed.set();
    });
    best = std::min(best, time_to_cancel(server, reached, closed));
  }
  EXPECT_LT(best, 50ms);
}

TEST(UpstreamCancel, WhileTheFirstByteIsAwaited) { expect_prompt_cancel(""); }

TEST(UpstreamCancel, InTheMiddleOfTheAnswer) {
  expect_prompt_cancel("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
}

TEST(UpstreamCancel, BeforeItBegan) {
  const auto upstream = upstream_at("http://127.0.0.1:1");
  run_async([](Upstream& to) -> Async<void> {
    UpstreamCall call(to, {});
    call.cancel();
    EXPECT_EQ((co_await call.send("GET", "/", {}, {})).error().code, ErrorCode::cancelled);
  }(*upstream));
}

TEST(UpstreamCancel, ByDestroyingTheCall) {
  Event closed;
  const ScriptedServer server([&](Peer& peer) {
    peer.receive_message();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    if (peer.wait_for_end() != Peer::End::still_open) closed.set();
  });
  const auto upstream = upstream_at(server.url());
  run_async([](Upstream& to, Event& end) -> Async<void> {
    {
      UpstreamCall call(to, {});
      EXPECT_TRUE((co_await call.send("GET", "/", {}, {})).has_value());
    }
    EXPECT_TRUE(end.wait());
  }(*upstream, closed));
}

TEST(Upstream, MayEndBeforeTheLoopsThatUsedIt) {
  const RunningServer server(
      [](Exchange& exchange) -> Async<void> { co_await exchange.send(200, {}, "ok"); });
  auto upstream = upstream_at("http://127.0.0.1:" + std::to_string(server.port()));
  run_async([](std::unique_ptr<Upstream>& to) -> Async<void> {
    EXPECT_TRUE((co_await ask(*to, "{}")).has_value());
    to.reset();
    co_await sleep_for(1ms);
  }(upstream));
}

// --- Streamed requests
// -------------------------------------------------------------------------------

TEST(UpstreamStream, SendsABodyInChunksOrOfKnownLength) {
  for (const bool in_chunks : {true, false}) {
    std::string seen;
    const ScriptedServer server([&](Peer& peer) {
      seen = peer.receive_message();
      peer.send(answer("ok"));
      peer.receive();
    });
    const auto upstream = upstream_at(server.url());
    run_async([](Upstream& to, bool chunked) -> Async<void> {
      UpstreamCall call(to, {});
      const auto length = chunked ? std::nullopt : std::optional<std::uint64_t>(8);
      EXPECT_TRUE((co_await call.begin_send("PUT", "/", {}, length)).has_value());
      EXPECT_TRUE((co_await call.write_body("one")).has_value());
      EXPECT_TRUE((co_await call.write_body("")).has_value());
      EXPECT_TRUE((co_await call.write_body("three")).has_value());
      EXPECT_TRUE((co_await call.finish_send()).has_value());
      EXPECT_EQ(*co_await read_all(call), "ok");
    }(*upstream, in_chunks));
    EXPECT_THAT(body_of(seen), in_chunks ? "3\r\none\r\n5\r\nthree\r\n0\r\n\r\n" : "onethree");
  }
}

TEST(UpstreamStream, EndsEarlyWhenTheUpstreamHasAnswered) {
  const ScriptedServer server([](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
    peer.wait_without_reading();
  });
  const auto upstream = upstream_at(server.url());
  run_async([](Upstream& to) -> Async<void> {
    UpstreamCall call(to, {});
    EXPECT_TRUE((co_await call.begin_send("POST", "/", {}, {})).has_value());
    const std::string part(1 << 20, 'x');
    for (int i = 0; i < 16; ++i) EXPECT_TRUE((co_await call.write_body(part)).has_value());
    EXPECT_TRUE((co_await call.finish_send()).has_value());
    EXPECT_EQ(call.status(), 401U);
    EXPECT_EQ(*co_await read_all(call), "no");
  }(*upstream));
}

TEST(UpstreamStream, RefusesALengthThatDoesNotHold) {
  const ScriptedServer server(stay);
  const auto upstream = upstream_at(server.url());
  run_async([](Upstream& to) -> Async<void> {
    UpstreamCall more(to, {});
    EXPECT_TRUE((co_await more.begin_send("POST", "/", {}, 3)).has_value());
    EXPECT_EQ((co_await more.write_body("four")).error().code, ErrorCode::invalid_input);
    UpstreamCall less(to, {});
    EXPECT_TRUE((co_await less.begin_send("POST", "/", {}, 3)).has_value());
    EXPECT_EQ((co_await less.finish_send()).error().code, ErrorCode::invalid_input);
  }(*upstream));
}

}  // namespace
}  // namespace understudy::net
