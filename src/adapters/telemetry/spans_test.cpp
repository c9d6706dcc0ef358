#include "adapters/telemetry/spans.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <thread>

#include "base/clock.hpp"
#include "base/limits.hpp"

namespace understudy::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

// A collector on loopback: takes POSTs, keeps heads and bodies, answers with one status.
class Collector {
 public:
  explicit Collector(unsigned status = 200) : status_(status) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~Collector() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // All that was sent, once there were `requests` of them.
  std::string wait_for(std::size_t requests) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return requests_ >= requests; });
    EXPECT_GE(requests_, requests);
    return received_;
  }

 private:
  void serve() {
    while (true) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      while (take_request(client)) {
      }
      ::close(client);
    }
  }

  bool take_request(int client) {
    std::string data;
    std::size_t expected = std::string::npos;
    while (data.size() < expected) {
      char part[8192];
      const ssize_t count = ::recv(client, part, sizeof part, 0);
      if (count <= 0) return false;
      data.append(part, static_cast<std::size_t>(count));
      const std::size_t head = data.find("\r\n\r\n");
      const std::size_t length = data.find("Content-Length: ");
      if (head == std::string::npos || length == std::string::npos) continue;
      std::size_t body = 0;
      std::from_chars(data.data() + length + 16, data.data() + head, body);
      expected = head + 4 + body;
    }
    const std::string answer =
        "HTTP/1.1 " + std::to_string(status_) + " x\r\nContent-Length: 0\r\n\r\n";
    ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    const std::scoped_lock lock(mutex_);
    received_ += data;
    ++requests_;
    arrived_.notify_all();
    return true;
  }

  unsigned status_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::string received_;
  std::size_t requests_ = 0;
  std::jthread thread_;
};

Call some_call() {
  Call call;
  call.id = {"019a0b3c-1111-7222-8333-444455556666"};
  call.session = {"session-7"};
  call.started_at = {1'790'000'000'000'000};
  call.first_byte_at = {1'790'000'000'250'000};
  call.ended_at = {1'790'000'001'000'000};
  call.upstream = "main-upstream";
  call.requested_model = "gpt-4o";
  call.served_model = "gpt-4o-2024-08-06";
  call.route.reason = "no_task";
  call.request = SecretText(std::string("the secret question"));
  call.response = SecretText(std::string("the secret answer"));
  call.origin = {.tenant = "tenant-pseudonym",
                 .user = "user-pseudonym",
                 .key = "key-pseudonym",
                 .address = "address-pseudonym"};
  call.tool_results = {{.tool_call_id = "call_1", .tool = "secret_tool"}};
  call.finish_reason = "stop";
  call.usage = {.prompt_tokens = 100, .completion_tokens = 20, .cached_prompt_tokens = 60};
  return call;
}

constexpr SpanContext context{
    .provider = "openai", .server_address = "api.example.com", .server_port = 443, .stream = true};

TEST(Spans, GoToTheCollectorUnderTheNamesOfTheConventions) {
  Collector collector;
  auto spans = Spans::open({.endpoint = collector.url(),
                            .headers = {{"x-token", "t-1"}},
                            .service_name = "my-gateway",
                            .version = "1.2"});
  ASSERT_TRUE(spans.has_value()) << spans.error().to_text();
  (*spans)->offer(some_call(), context);
  const std::string sent = collector.wait_for(1);
  EXPECT_THAT(sent, HasSubstr("POST /v1/traces "));
  EXPECT_THAT(sent, HasSubstr("application/x-protobuf"));
  EXPECT_THAT(sent, HasSubstr("x-token: t-1"));
  for (const char* name : {"gen_ai.operation.name",
                           "gen_ai.provider.name",
                           "gen_ai.request.model",
                           "gen_ai.response.model",
                           "gen_ai.conversation.id",
                           "gen_ai.request.stream",
                           "gen_ai.response.finish_reasons",
                           "gen_ai.usage.input_tokens",
                           "gen_ai.usage.output_tokens",
                           "gen_ai.usage.cache_read.input_tokens",
                           "gen_ai.response.time_to_first_chunk",
                           "server.address",
                           "server.port",
                           "http.response.status_code",
                           "understudy.call.id",
                           "understudy.upstream",
                           "understudy.served_by",
                           "understudy.route.reason",
                           "service.name",
                           "service.version"})
    EXPECT_THAT(sent, HasSubstr(name));
  for (const char* value : {"chat gpt-4o", "gpt-4o-2024-08-06", "session-7", "api.example.com",
                            "main-upstream", "019a0b3c-1111-7222-8333-444455556666", "my-gateway"})
    EXPECT_THAT(sent, HasSubstr(value));
  // The trace's id is the call's.
  EXPECT_THAT(sent, HasSubstr(std::string("\x01\x9a\x0b\x3c\x11\x11\x72\x22\x83\x33\x44\x44\x55\x55"
                                          "\x66\x66",
                                          16)));
}

TEST(Spans, HoldNoContentAndNoOrigin) {
  Collector collector;
  auto spans = Spans::open({.endpoint = collector.url()});
  ASSERT_TRUE(spans.has_value()) << spans.error().to_text();
  Call failed = some_call();
  failed.status = CallStatus::upstream_error;
  failed.error = "server_error/overloaded";
  (*spans)->offer(failed, context);
  const std::string sent = collector.wait_for(1);
  EXPECT_THAT(sent, HasSubstr("server_error/overloaded"));
  for (const char* hidden : {"secret question", "secret answer", "secret_tool", "pseudonym"})
    EXPECT_THAT(sent, Not(HasSubstr(hidden)));
}

TEST(Spans, JoinTheTraceOfTheClient) {
  Collector collector;
  auto spans = Spans::open({.endpoint = collector.url(), .sample_ratio = 0});
  ASSERT_TRUE(spans.has_value()) << spans.error().to_text();
  SpanContext sampled = context;
  sampled.trace_parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  (*spans)->offer(some_call(), context);  // the ratio says no
  (*spans)->offer(some_call(), sampled);
  const std::string sent = collector.wait_for(1);
  EXPECT_THAT(sent, HasSubstr("\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36"));
  EXPECT_THAT(sent, HasSubstr(std::string("\x00\xf0\x67\xaa\x0b\xa9\x02\xb7", 8)));
  EXPECT_THAT(sent, Not(HasSubstr("\x01\x9a\x0b\x3c")));
}

TEST(Spans, AreSentWhenTheGatewayEnds) {
  Collector collector;
  {
    auto spans = Spans::open({.endpoint = collector.url()});
    ASSERT_TRUE(spans.has_value()) << spans.error().to_text();
    (*spans)->offer(some_call(), context);
  }
  EXPECT_THAT(collector.wait_for(1), HasSubstr("chat gpt-4o"));
}

TEST(Spans, CountWhatTheCollectorRefuses) {
  Collector collector(503);
  auto spans = Spans::open({.endpoint = collector.url()});
  ASSERT_TRUE(spans.has_value()) << spans.error().to_text();
  (*spans)->offer(some_call(), context);
  const Stopwatch watch;
  while ((*spans)->counters().failed == 0 && watch.elapsed_s() < 20) std::this_thread::yield();
  EXPECT_EQ((*spans)->counters().failed, 1U);
  EXPECT_EQ((*spans)->counters().exported, 0U);
}

// A collector that never answers.
class StuckExporter final : public SpanExporter {
 public:
  explicit StuckExporter(std::binary_semaphore& release) : release_(release) {}
  bool export_spans(std::span<const CallSpan>) override {
    release_.acquire();
    release_.release();
    return true;
  }

 private:
  std::binary_semaphore& release_;
};

TEST(Spans, AFullQueueDropsAndCountsAndNeverBlocks) {
  std::binary_semaphore release(0);
  auto spans = Spans::open({.endpoint = ""}, [&](const SpanOptions&) {
    return Result<std::unique_ptr<SpanExporter>>(std::make_unique<StuckExporter>(release));
  });
  ASSERT_TRUE(spans);
  const std::size_t offered = 3 * limits::span_queue_max;
  const Stopwatch watch;
  for (std::size_t i = 0; i < offered; ++i) (*spans)->offer(some_call(), context);
  EXPECT_LT(watch.elapsed_s(), 5.0);
  // The exporter holds one queue's worth at most, the queue another.
  EXPECT_GE((*spans)->counters().dropped, offered - 2 * limits::span_queue_max);
  const std::uint64_t dropped = (*spans)->counters().dropped;
  release.release();
  const Stopwatch drain;
  while ((*spans)->counters().exported < offered - dropped && drain.elapsed_s() < 20)
    std::this_thread::yield();
  EXPECT_EQ((*spans)->counters().exported, offered - dropped);
}

TEST(Spans, SamplesTheShareThatIsAskedFor) {
  std::binary_semaphore release(1);
  auto spans = Spans::open({.endpoint = "", .sample_ratio = 0.25}, [&](const SpanOptions&) {
    return Result<std::unique_ptr<SpanExporter>>(std::make_unique<StuckExporter>(release));
  });
  ASSERT_TRUE(spans);
  Call call = some_call();
  constexpr int calls = 4000;
  for (int i = 0; i < calls; ++i) {
    call.id = {make_uuid7()};
    (*spans)->offer(call, context);
    if (i % 512 == 0) std::this_thread::yield();
  }
  const Stopwatch watch;
  std::uint64_t counted = 0;
  while (watch.elapsed_s() < 3) {
    const SpanCounters counters = (*spans)->counters();
    counted = counters.exported + counters.dropped;
    if (counted > calls / 5) break;
    std::this_thread::yield();
  }
  EXPECT_NEAR(static_cast<double>(counted), calls / 4.0, 120);  // four standard deviations
}

TEST(ParseTraceParent, TakesWhatTheSpecificationTakes) {
  const auto parent = parse_trace_parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace[0], 0x4b);
  EXPECT_EQ(parent->span[7], 0xb7);
  EXPECT_TRUE(parent->sampled);
  EXPECT_FALSE(
      parse_trace_parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")->sampled);
  EXPECT_TRUE(parse_trace_parent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"));
  for (const char* wrong : {"", "00", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g"})
    EXPECT_FALSE(parse_trace_parent(wrong)) << wrong;
}

TEST(ParseOtlpHeaders, TakesNamesAndValues) {
  const auto headers = parse_otlp_headers("authorization=Bearer%20abc, x-team = a=b ,");
  ASSERT_TRUE(headers);
  EXPECT_THAT(*headers, testing::ElementsAre(testing::Pair("authorization", "Bearer abc"),
                                             testing::Pair("x-team", "a=b")));
  EXPECT_TRUE(parse_otlp_headers("")->empty());
  for (const char* wrong : {"token", "=x", "a b=c", "a=b%0d%0aevil: 1"}) {
    const auto refused = parse_otlp_headers(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_THAT(refused.error().to_text(), Not(HasSubstr("evil")));
  }
}

}  // namespace
}  // namespace understudy::telemetry
