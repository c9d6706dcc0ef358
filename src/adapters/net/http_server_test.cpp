#include "adapters/net/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "adapters/net/test_peers.hpp"
#include "base/limits.hpp"

namespace understudy::net {
namespace {

using namespace testing_peers;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Answers with what it saw of the request.
Async<void> echo(Exchange& exchange) {
  if (auto read = co_await exchange.read_body(); !read) {
    const unsigned status = read.error().code == ErrorCode::exhausted ? 413 : 400;
    co_await exchange.send(status, {}, read.error().message);
    co_return;
  }
  const HttpRequest& request = exchange.request();
  Headers headers;
  headers.add("Content-Type", "text/plain");
  co_await exchange.send(200, std::move(headers),
                         request.method + " " + request.target + " " + request.body);
}

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  const RunningServer server(echo);
  Peer client = server.connect();
  for (int i = 0; i < 3; ++i) {
    client.send(post("/a?b=c", "hello"));
    EXPECT_EQ(client.receive_message(),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n\r\n"
              "POST /a?b=c hello");
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  const RunningServer server(echo);
  Peer client = server.connect();
  client.send(post("/1", "one") + "GET /2 HTTP/1.1\r\nHost: s\r\n\r\n" + post("/3", "three"));
  EXPECT_THAT(client.receive_message(), EndsWith("POST /1 one"));
  EXPECT_THAT(client.receive_message(), EndsWith("GET /2 "));
  EXPECT_THAT(client.receive_message(), EndsWith("POST /3 three"));
}

TEST(HttpServer, ReadsARequestThatComesByteByByte) {
  const RunningServer server(echo);
  Peer client = server.connect();
  for (const char byte : post("/slow", "body")) client.send({&byte, 1});
  EXPECT_THAT(client.receive_message(), EndsWith("POST /slow body"));
}

TEST(HttpServer, DecodesAChunkedBody) {
  const RunningServer server(echo);
  Peer client = server.connect();
  client.send("POST /c HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  client.send("1;name=value\r\n \r\n5\r\nworld\r\n0\r\nTrailer: ignored\r\n\r\n" +
              post("/d", "next"));
  EXPECT_THAT(client.receive_message(), EndsWith("POST /c hello world"));
  EXPECT_THAT(client.receive_message(), EndsWith("POST /d next"));
}

TEST(HttpServer, GivesTheBodyInParts) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    std::string parts;
    while (true) {
      auto part = co_await exchange.read_body_part();
      if (!part || part->empty()) break;
      parts += "[" + *part + "]";
      if (parts == "[first]") co_await exchange.begin(200, {}, 15);
      co_await exchange.write(parts);
      parts.clear();
    }
    co_await exchange.finish();
  });
  Peer client = server.connect();
  client.send("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 11\r\n\r\nfirst");
  EXPECT_THAT(client.receive_until("[first]"), EndsWith("[first]"));
  client.send("second");
  EXPECT_EQ(client.receive_until("[second]"), "[second]");
}

TEST(HttpServer, SendsContinueOnlyWhenTheBodyIsRead) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    if (exchange.request().target == "/refuse") {
      co_await exchange.send(403, {}, "no");
      co_return;
    }
    co_await echo(exchange);
  });
  Peer client = server.connect();
  client.send("POST / HTTP/1.1\r\nHost: s\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.receive_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  EXPECT_THAT(client.receive_message(), EndsWith("POST / body"));
  client.send(
      "POST /refuse HTTP/1.1\r\nHost: s\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  const std::string refused = client.receive_message();
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 403"));
  // Whether the client will send the body nobody knows: such a connection ends.
  EXPECT_THAT(refused, HasSubstr("Connection: close\r\n"));
}

TEST(HttpServer, TakesABodyAtTheLimitAndRefusesOneAbove) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    if (auto read = co_await exchange.read_body(); !read) {
      EXPECT_EQ(read.error().code, ErrorCode::exhausted);
      co_await exchange.send(413, {}, "too large");
      co_return;
    }
    co_await exchange.send(200, {}, std::to_string(exchange.request().body.size()));
  });
  const std::string body(limits::body_bytes_max, 'x');
  Peer client = server.connect();
  client.send(post("/", body));
  EXPECT_THAT(client.receive_message(), EndsWith(std::to_string(limits::body_bytes_max)));
  client.send("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: " +
              std::to_string(limits::body_bytes_max + 1) + "\r\n\r\nsome");
  EXPECT_THAT(client.receive_message(), EndsWith("too large"));
  Peer chunks = server.connect();
  chunks.send("POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n4000001\r\n" + body +
              "x\r\n0\r\n\r\n");
  EXPECT_THAT(chunks.receive_message(), EndsWith("too large"));
}

TEST(HttpServer, SkipsAShortBodyThatNobodyRead) {
  const RunningServer server(
      [](Exchange& exchange) -> Async<void> { co_await exchange.send(200, {}, "unread"); });
  Peer client = server.connect();
  client.send("POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 8\r\n\r\nhalf");
  EXPECT_THAT(client.receive_message(), EndsWith("unread"));
  client.send("more" + post("/again", ""));
  EXPECT_THAT(client.receive_message(), EndsWith("unread"));
}

TEST(HttpServer, AnswersAHeadWithoutABody) {
  const RunningServer server(echo);
  Peer client = server.connect();
  client.send("HEAD /h HTTP/1.1\r\nHost: s\r\n\r\n" + post("/p", ""));
  EXPECT_THAT(client.receive_head(), HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(client.receive_message(), EndsWith("POST /p "));
}

TEST(HttpServer, TakesThePathOfAnAbsoluteTarget) {
  const RunningServer server(echo);
  Peer client = server.connect();
  for (const auto& [target, path] : {std::pair{"http://elsewhere/a?b", "/a?b"},
                                     {"http://elsewhere", "/"},
                                     {"HTTPS://u@h:1?q", "/?q"},
                                     {"/x?y=http://z/", "/x?y=http://z/"},
                                     {"*", "*"}}) {
    client.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: s\r\n\r\n");
    EXPECT_EQ(body_of(client.receive_message()), "GET " + std::string(path) + " ");
  }
}

TEST(HttpServer, GivesNoLengthToAnswersThatHaveNoBody) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    co_await exchange.send(exchange.request().target == "/304" ? 304 : 204, {}, "ignored");
  });
  Peer client = server.connect();
  for (const std::string status : {"304", "204", "304"}) {
    client.send("GET /" + status + " HTTP/1.1\r\nHost: s\r\n\r\n");
    const std::string head = client.receive_head();
    EXPECT_THAT(head, StartsWith("HTTP/1.1 " + status));
    EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  }
}

TEST(HttpServer, SpeaksHttp10) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    if (exchange.request().target != "/stream") {
      co_await echo(exchange);
      co_return;
    }
    co_await exchange.begin(200, {});
    co_await exchange.write("part ");
    co_await exchange.write("part");
    co_await exchange.finish();
  });
  Peer kept = server.connect();
  kept.send("GET /k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(kept.receive_message(), HasSubstr("Connection: keep-alive\r\n"));
  kept.send("GET /k HTTP/1.0\r\n\r\n");
  EXPECT_THAT(kept.receive_all(), HasSubstr("Connection: close\r\n"));
  Peer streamed = server.connect();
  streamed.send("GET /stream HTTP/1.0\r\n\r\n");
  const std::string answer = streamed.receive_all();
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_EQ(body_of(answer), "part part");
}

TEST(HttpServer, StreamsInChunksWithTheHeadInTheFirstWrite) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    co_await exchange.begin(200, {});
    co_await exchange.write("one");
    co_await exchange.write("three");
    co_await exchange.finish();
  });
  Peer client = server.connect();
  for (int i = 0; i < 2; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: s\r\n\r\n");
    EXPECT_EQ(
        client.receive_message(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n5\r\nthree\r\n0\r\n\r\n");
  }
}

TEST(HttpServer, NeverEndsCleanlyWhatIsIncomplete) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    const std::string& target = exchange.request().target;
    if (target == "/short") {
      co_await exchange.begin(200, {}, 10);
      co_await exchange.write("12345");
      EXPECT_FALSE(co_await exchange.finish());
    } else if (target == "/long") {
      co_await exchange.begin(200, {}, 3);
      EXPECT_FALSE(co_await exchange.write("12345"));
    } else {
      co_await exchange.begin(200, {});
      co_await exchange.write("12345");
      if (target == "/abort") exchange.abort();
      if (target == "/throw") throw std::runtime_error("defect");
    }
  });
  for (const std::string target : {"/short", "/long", "/abort", "/throw", "/forgotten"}) {
    Peer client = server.connect();
    client.send("GET " + target + " HTTP/1.1\r\nHost: s\r\n\r\n");
    EXPECT_EQ(client.wait_for_end(), Peer::End::reset) << target;
  }
}

TEST(HttpServer, AnswersADefectOfTheHandler) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    if (exchange.request().target == "/throw") throw std::runtime_error("defect");
    co_return;
  });
  Peer client = server.connect();
  for (const std::string target : {"/throw", "/nothing"}) {
    client.send("GET " + target + " HTTP/1.1\r\nHost: s\r\n\r\n");
    EXPECT_THAT(client.receive_message(), StartsWith("HTTP/1.1 500")) << target;
  }
}

TEST(HttpServer, WritesFramingItselfAndDropsHeadersThatBreakOut) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    Headers headers;
    headers.add("Content-Length", "99");
    headers.add("Transfer-Encoding", "chunked");
    headers.add("Connection", "close, x-hop");
    headers.add("X-Hop", "1");
    headers.add("X-Bad", "a\r\nX-Injected: 1");
    headers.add("X-Good", "kept");
    co_await exchange.send(200, std::move(headers), "body");
  });
  Peer client = server.connect();
  client.send("GET / HTTP/1.1\r\nHost: s\r\n\r\n");
  EXPECT_EQ(client.receive_message(),
            "HTTP/1.1 200 OK\r\nX-Good: kept\r\nContent-Length: 4\r\n\r\nbody");
}

TEST(HttpServer, TellsWhereTheClientIsAndWhenItCame) {
  const std::int64_t before_ns = std::chrono::steady_clock::now().time_since_epoch().count();
  const RunningServer server([before_ns](Exchange& exchange) -> Async<void> {
    EXPECT_EQ(exchange.request().peer_address, "127.0.0.1");
    EXPECT_GE(exchange.arrived_ns(), before_ns);
    EXPECT_EQ(exchange.content_length(), 2U);
    co_await exchange.send(200, {}, "");
  });
  Peer client = server.connect();
  client.send(post("/", "hi"));
  client.receive_message();
}

TEST(HttpServer, ServesOnSeveralThreads) {
  HttpServerOptions options;
  options.threads = 3;
  std::mutex mutex;
  std::vector<std::thread::id> seen;
  const RunningServer server(
      [&](Exchange& exchange) -> Async<void> {
        {
          const std::scoped_lock lock(mutex);
          seen.push_back(std::this_thread::get_id());
        }
        co_await exchange.send(200, {}, "");
      },
      options);
  std::vector<Peer> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.connect());
    clients.back().send("GET / HTTP/1.1\r\nHost: s\r\n\r\n");
    clients.back().receive_message();
  }
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::unique(seen).begin(), seen.end()) << "connections are spread evenly";
}

TEST(HttpServer, SaysThatThePortIsTaken) {
  const RunningServer server(echo);
  HttpServerOptions options;
  options.port = server.port();
  const auto second = HttpServer::create(options, echo);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
}

// --- Requests that are no requests
// ------------------------------------------------------------------

struct BadRequest {
  std::string name;
  std::string bytes;
};

class HttpServerRefuses : public ::testing::TestWithParam<BadRequest> {};

TEST_P(HttpServerRefuses, With400AndTheEnd) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    ADD_FAILURE() << "it reached the handler: " << exchange.request().target;
    co_return;
  });
  Peer client = server.connect();
  client.send(GetParam().bytes);
  const std::string answer = client.receive_message();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  client.half_close();
  EXPECT_EQ(client.wait_for_end(), Peer::End::clean);
}

const std::string line = "POST / HTTP/1.1\r\n";
INSTANTIATE_TEST_SUITE_P(
    Framing, HttpServerRefuses,
    ::testing::Values(
        BadRequest{"LengthAndChunks", line + "Host: s\r\nContent-Length: 4\r\nTransfer-Encoding: "
                                             "chunked\r\n\r\n0\r\n\r\n"},
        BadRequest{"ChunksAndLength", line + "Host: s\r\nTransfer-Encoding: chunked\r\n"
                                             "Content-Length: 4\r\n\r\n0\r\n\r\n"},
        BadRequest{"TwoLengths",
                   line + "Host: s\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n"},
        BadRequest{"TwoEqualLengths",
                   line + "Host: s\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody"},
        BadRequest{"LengthList", line + "Host: s\r\nContent-Length: 4, 4\r\n\r\nbody"},
        BadRequest{"NegativeLength", line + "Host: s\r\nContent-Length: -1\r\n\r\n"},
        BadRequest{"SignedLength", line + "Host: s\r\nContent-Length: +4\r\n\r\nbody"},
        BadRequest{"HugeLength", line + "Host: s\r\nContent-Length: 99999999999999999999\r\n\r\n"},
        BadRequest{"UnknownCoding", line + "Host: s\r\nTransfer-Encoding: gzip\r\n\r\n"},
        BadRequest{"ChunkedNotLast", line + "Host: s\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"},
        BadRequest{"ChunkedTwice", line + "Host: s\r\nTransfer-Encoding: chunked\r\n"
                                          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        BadRequest{"ChunkedInHttp10",
                   "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        BadRequest{"FoldedLine", line + "Host: s\r\nX-A: 1\r\n continued\r\n\r\n"},
        BadRequest{"FoldedLength", line + "Host: s\r\nContent-Length:\r\n 4\r\n\r\nbody"},
        BadRequest{"SpaceBeforeColon", line + "Host: s\r\nContent-Length : 4\r\n\r\nbody"},
        BadRequest{"SpaceBeforeName", line + " Host: s\r\n\r\n"},
        BadRequest{"BareLineFeeds", "POST / HTTP/1.1\nHost: s\n\n"},
        BadRequest{"BareLineFeedInHeader", line + "Host: s\nContent-Length: 4\r\n\r\nbody"},
        BadRequest{"BareLineFeedAtEnd", line + "Host: s\r\n\nbody"},
        BadRequest{"BareCarriageReturn", line + "Host: s\rX: y\r\n\r\n"},
        BadRequest{"NulInValue", line + std::string("Host: s\0\r\n\r\n", 11)},
        BadRequest{"NoColon", line + "Host: s\r\nnonsense\r\n\r\n"},
        BadRequest{"NoHost", line + "X-A: 1\r\n\r\n"},
        BadRequest{"TwoHosts", line + "Host: s\r\nHost: t\r\n\r\n"},
        BadRequest{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        BadRequest{"TlsHello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)},
        BadRequest{"Garbage", "\r\n\r\n\r\n???\r\n\r\n"},
        BadRequest{"SpaceInTarget", "GET /a b HTTP/1.1\r\nHost: s\r\n\r\n"}),
    [](const auto& tested) { return tested.param.name; });

TEST(HttpServer, RefusesABadChunk) {
  const RunningServer server([](Exchange& exchange) -> Async<void> {
    const auto read = co_await exchange.read_body();
    EXPECT_EQ(read.error().code, ErrorCode::invalid_input);
    co_await exchange.send(400, {}, "bad chunk");
  });
  for (const std::string chunk :
       {"x\r\n", "5\r\nhelloX", "-1\r\n", "5\nhello\n", "ffffffffffffffffff\r\n"}) {
    Peer client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk +
                "\r\n\r\n");
    const std::string answer = client.receive_message();
    EXPECT_THAT(answer, EndsWith("bad chunk")) << chunk;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << chunk;
  }
}

TEST(HttpServer, RefusesHeaderBombsWith431) {
  const RunningServer server(echo);
  std::string many = "GET / HTTP/1.1\r\nHost: s\r\n";
  while (many.size() <= limits::header_bytes_max) many += "X-Header: value\r\n";
  for (const std::string& bomb :
       {many + "\r\n", "GET / HTTP/1.1\r\nHost: s\r\nX: " + std::string(200'000, 'x') + "\r\n\r\n",
        "GET /" + std::string(200'000, 'x') + " HTTP/1.1\r\n"}) {
    Peer client = server.connect();
    client.send(bomb);
    EXPECT_THAT(client.receive_message(), StartsWith("HTTP/1.1 431"));
  }
}

}  // namespace
}  // namespace understudy::net
