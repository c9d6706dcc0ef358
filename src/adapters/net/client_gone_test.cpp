// Clients that leave, stall or trickle, and a server that wants to stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "adapters/net/http_server.hpp"
#include "adapters/net/test_peers.hpp"

namespace understudy::net {
namespace {

using namespace testing_peers;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto promised = 50ms;  // from the client's end to the callback

// A handler that waits, in a phase of its choice, until it is told that the client is gone.
struct Watch {
  Event handling;
  Event gone;
  std::atomic<int> calls{0};
  std::atomic<Clock::rep> gone_at{0};

  void attend(Exchange& exchange) {
    exchange.on_client_gone([this] {
      ++calls;
      gone_at = Clock::now().time_since_epoch().count();
      gone.set();
    });
  }
  Async<void> until_gone(Exchange& exchange) {
    handling.set();
    while (!exchange.client_is_gone()) co_await sleep_for(5ms);
  }
};

// How long the handler took to notice that `leave` was done to its client.
Clock::duration time_to_notice(const std::string& request, const std::function<void(Peer&)>& leave,
                               const std::function<Async<void>(Exchange&, Watch&)>& handle,
                               const HttpServerOptions& options = {},
                               const TlsContext* tls = nullptr) {
  // The best of some: on a busy machine a thread can wait longer for a core than for the notice.
  Clock::duration best = Clock::duration::max();
  for (int i = 0; i < 5 && best > promised; ++i) {
    Watch watch;
    const RunningServer server([&](Exchange& exchange) { return handle(exchange, watch); },
                               options);
    Peer client = server.connect();
    EXPECT_TRUE(tls == nullptr || client.start_tls(*tls, "localhost"));
    client.send(request);
    EXPECT_TRUE(watch.handling.wait());
    const auto left_at = Clock::now();
    leave(client);
    EXPECT_TRUE(watch.gone.wait());
    best = std::min(best, Clock::duration(watch.gone_at) - left_at.time_since_epoch());
    EXPECT_EQ(watch.calls, 1);
  }
  return best;
}

Async<void> wait_for_first_byte(Exchange& exchange, Watch& watch) {
  watch.attend(exchange);
  co_await exchange.read_body();
  co_await watch.until_gone(exchange);
}

Async<void> read_the_body(Exchange& exchange, Watch& watch) {
  watch.attend(exchange);
  watch.handling.set();
  const auto read = co_await exchange.read_body();
  EXPECT_EQ(read.error().code, ErrorCode::cancelled);
}

Async<void> ignore_the_body(Exchange& exchange, Watch& watch) {
  watch.attend(exchange);
  co_await watch.until_gone(exchange);
}

Async<void> stream(Exchange& exchange, Watch& watch) {
  watch.attend(exchange);
  co_await exchange.begin(200, {});
  co_await exchange.write("data: 1\n\n");
  co_await watch.until_gone(exchange);
  EXPECT_FALSE(co_await exchange.write("data: 2\n\n"));
}

Async<void> write_much(Exchange& exchange, Watch& watch) {
  watch.attend(exchange);
  watch.handling.set();
  co_await exchange.begin(200, {});
  const std::string part(1 << 20, 'x');
  while (co_await exchange.write(part)) {
  }
}

const std::string whole = post("/", "body");
const std::string half = "POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 100\r\n\r\nhalf";

TEST(ClientGone, IsNoticedBeforeTheFirstByte) {
  EXPECT_LT(time_to_notice(whole, &Peer::close, wait_for_first_byte), promised);
  EXPECT_LT(time_to_notice(whole, &Peer::reset, wait_for_first_byte), promised);
  EXPECT_LT(time_to_notice(whole, &Peer::half_close, wait_for_first_byte), promised);
}

TEST(ClientGone, IsNoticedBehindAPipelinedRequest) {
  EXPECT_LT(time_to_notice(whole + whole, &Peer::close, wait_for_first_byte), promised);
  const auto send_and_close = [](Peer& client) {
    client.send(whole);
    client.close();
  };
  EXPECT_LT(time_to_notice(whole, send_and_close, wait_for_first_byte), promised);
}

// The system speaks once of a request and an end that are there together.
TEST(ClientGone, IsNoticedWhenItsEndCameWithItsRequest) {
  Watch watch;
  Event busy;
  const RunningServer server([&](Exchange& exchange) -> Async<void> {
    if (exchange.request().target == "/watched")
      co_return co_await wait_for_first_byte(exchange, watch);
    if (exchange.request().target == "/busy") {
      busy.set();
      std::this_thread::sleep_for(50ms);  // the whole loop
    }
    co_await exchange.send(200, {}, "ok");
  });
  Peer client = server.connect();
  client.send(post("/", "body"));
  EXPECT_THAT(client.receive_message(), HasSubstr("ok"));  // and the connection waits
  Peer other = server.connect();
  other.send(post("/busy", "body"));
  ASSERT_TRUE(busy.wait());
  client.send(post("/watched", "body"));
  client.half_close();
  EXPECT_TRUE(watch.gone.wait());
}

TEST(ClientGone, IsNoticedWhileTheBodyIsRead) {
  EXPECT_LT(time_to_notice(half, &Peer::close, read_the_body), promised);
  EXPECT_LT(time_to_notice(half, &Peer::reset, read_the_body), promised);
}

TEST(ClientGone, IsNoticedBehindABodyThatNobodyReads) {
  const auto send_and_close = [](Peer& client) {
    client.send("more");
    client.close();
  };
  EXPECT_LT(time_to_notice(half, send_and_close, ignore_the_body), promised);
}

TEST(ClientGone, IsNoticedInAStream) {
  EXPECT_LT(time_to_notice(whole, &Peer::close, stream), promised);
  EXPECT_LT(time_to_notice(whole, &Peer::reset, stream), promised);
}

TEST(ClientGone, IsNoticedWhileItDoesNotRead) {
  EXPECT_LT(time_to_notice(whole, &Peer::reset, write_much), promised);
}

TEST(ClientGone, IsNoticedThroughTls) {
  const CertificateFiles files;
  HttpServerOptions options;
  options.tls = {.certificate = files.certificate, .key = files.key};
  const auto tls = TlsContext::client(files.certificate);
  ASSERT_TRUE(tls.has_value());
  for (const auto& leave : {&Peer::close, &Peer::reset, &Peer::half_close}) {
    EXPECT_LT(time_to_notice(whole, leave, wait_for_first_byte, options, tls->get()), promised);
    EXPECT_LT(time_to_notice(whole + whole, leave, wait_for_first_byte, options, tls->get()),
              promised);
    EXPECT_LT(time_to_notice(whole, leave, stream, options, tls->get()), promised);
  }
}

TEST(ClientGone, IsNotReportedOfAClientThatStays) {
  std::atomic<int> calls{0};
  const RunningServer server([&](Exchange& exchange) -> Async<void> {
    exchange.on_client_gone([&calls] { ++calls; });
    co_await exchange.read_body();
    co_await sleep_for(60ms);  // three sweeps
    co_await exchange.send(200, {}, "ok");
  });
  Peer client = server.connect();
  client.send(whole + whole);
  client.receive_message();
  EXPECT_THAT(client.receive_message(), HasSubstr("ok"));
  client.close();
  EXPECT_EQ(calls, 0) << "the callback ends with its exchange";
}

TEST(ClientGone, BeforeTheHeadConcernsNobody) {
  const RunningServer server([](Exchange&) -> Async<void> {
    ADD_FAILURE() << "half a head reached the handler";
    co_return;
  });
  Peer client = server.connect();
  client.send("POST / HTTP/1.1\r\nHost: s");
  client.close();
}

// --- Deadlines
// ------------------------------------------------------------------------------------

HttpServerOptions impatient() {
  HttpServerOptions options;
  options.deadlines = {.keep_alive = 100ms, .head = 100ms, .idle = 100ms, .drain = 100ms};
  return options;
}

TEST(SlowClient, LosesAnIdleConnection) {
  const RunningServer server([](Exchange&) -> Async<void> { co_return; }, impatient());
  Peer client = server.connect();
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_EQ(client.wait_for_end(), Peer::End::clean);
}

TEST(SlowClient, IsToldThatItsHeadDidNotCome) {
  const RunningServer server([](Exchange&) -> Async<void> { co_return; }, impatient());
  Peer client = server.connect();
  client.send("GET / HTTP/1.1\r\n");
  EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 408"));
}

TEST(SlowClient, CannotTrickleItsHead) {
  const RunningServer server([](Exchange&) -> Async<void> { co_return; }, impatient());
  Peer client = server.connect();
  const auto started = Clock::now();
  client.send("GET / HTTP/1.1\r\n");
  while (client.wait_for_end(20) == Peer::End::still_open) {
    if (!client.send("X: y\r\n")) break;
    ASSERT_LT(Clock::now() - started, 5s) << "it still listens";
  }
}

TEST(SlowClient, StallsInItsBody) {
  Event timed_out;
  const RunningServer server(
      [&](Exchange& exchange) -> Async<void> {
        const auto read = co_await exchange.read_body();
        if (!read && read.error().code == ErrorCode::timeout) timed_out.set();
        co_await exchange.send(408, {}, "stalled");
      },
      impatient());
  Peer client = server.connect();
  client.send(half);
  EXPECT_TRUE(timed_out.wait());
  EXPECT_THAT(client.receive_message(), StartsWith("HTTP/1.1 408"));
}

TEST(SlowClient, CannotTrickleItsBody) {
  Event timed_out;
  const RunningServer server(
      [&](Exchange& exchange) -> Async<void> {
        const auto read = co_await exchange.read_body();
        if (!read && read.error().code == ErrorCode::timeout) timed_out.set();
      },
      impatient());
  Peer client = server.connect();
  client.send(half);
  const auto started = Clock::now();
  while (!timed_out.wait(30)) {
    client.send("x");
    ASSERT_LT(Clock::now() - started, 5s) << "it still waits";
  }
}

TEST(SlowClient, ThatDoesNotReadIsGivenUp) {
  Event given_up;
  const RunningServer server(
      [&](Exchange& exchange) -> Async<void> {
        if (!co_await exchange.send(200, {}, std::string(32 << 20, 'x'))) given_up.set();
      },
      impatient());
  Peer client = server.connect();
  client.send(whole);
  EXPECT_TRUE(given_up.wait());
}

TEST(SlowClient, ThatReadsSlowlyGetsEverything) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    co_await exchange.send(200, {}, std::string(4 << 20, 'x'));
  });
  Peer client = server.connect();
  client.small_receive_buffer();
  client.send(whole);
  EXPECT_EQ(body_of(client.receive_message()).size(), 4U << 20);
}

// --- The drain
// -------------------------------------------------------------------------------------

TEST(Drain, LetsOpenExchangesFinishAndClosesIdleConnections) {
  Event handling;
  Event release;
  RunningServer server([&](Exchange& exchange) -> Async<void> {
    handling.set();
    while (!release.wait(0)) co_await sleep_for(1ms);
    co_await exchange.send(200, {}, "finished");
  });
  Peer idle = server.connect();
  Peer busy = server.connect();
  busy.send(whole);
  ASSERT_TRUE(handling.wait());
  server.server().stop();
  EXPECT_EQ(idle.wait_for_end(), Peer::End::clean);
  EXPECT_FALSE(server.connect().send("x")) << "it accepts no more";
  release.set();
  const std::string answer = busy.receive_message();
  EXPECT_THAT(answer, HasSubstr("finished"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  server.wait_until_ended();
}

TEST(Drain, EndsWaitsAtItsDeadline) {
  Event ended;
  Event handling;
  RunningServer server(
      [&](Exchange& exchange) -> Async<void> {
        handling.set();
        const auto read = co_await exchange.read_body();
        if (!read && read.error().code == ErrorCode::cancelled) ended.set();
      },
      [] {
        HttpServerOptions options;
        options.deadlines.drain = 50ms;
        return options;
      }());
  Peer client = server.connect();
  client.send(half);
  ASSERT_TRUE(handling.wait());
  server.server().stop();
  server.wait_until_ended();
  EXPECT_TRUE(ended.wait(0));
}

TEST(Drain, EndsEvenWhenAHandlerIsStuck) {
  Event handling;
  RunningServer server(
      [&](Exchange&) -> Async<void> {
        handling.set();
        co_await sleep_for(1h);
      },
      impatient());
  Peer client = server.connect();
  client.send(whole);
  ASSERT_TRUE(handling.wait());
  server.server().stop();
  server.wait_until_ended();
}

}  // namespace
}  // namespace understudy::net
