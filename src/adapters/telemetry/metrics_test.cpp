#include "adapters/telemetry/metrics.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "base/clock.hpp"
#include "base/limits.hpp"

namespace understudy::telemetry {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

RequestFacts chat(std::string_view model = "gpt-4o") {
  return {.api = "chat.completions",
          .provider = "openai",
          .model = model,
          .status = 200,
          .own_overhead_us = 30,
          .first_byte_us = 400'000,
          .duration_us = 1'500'000,
          .usage = {.prompt_tokens = 100, .completion_tokens = 20, .cached_prompt_tokens = 60},
          .cost = {450}};
}

TEST(Metrics, CountsRequestsByApiStatusAndServer) {
  Metrics metrics("1.2");
  metrics.request_ended(chat());
  metrics.request_ended(chat());
  RequestFacts refused{.api = "messages"};
  refused.status = 401;
  refused.served_by = ServedBy::gateway;
  metrics.request_ended(refused);
  RequestFacts odd{.api = "audio"};
  odd.status = 418;
  metrics.request_ended(odd);
  const std::string text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("# TYPE understudy_requests_total counter"));
  EXPECT_THAT(text, HasSubstr("understudy_requests_total{api=\"chat.completions\",status=\"200\","
                              "served_by=\"llm\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("understudy_requests_total{api=\"messages\",status=\"401\","
                              "served_by=\"gateway\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("understudy_requests_total{api=\"other\",status=\"other\","
                              "served_by=\"llm\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("understudy_build_info{version=\"1.2\"} 1\n"));
}

TEST(Metrics, HistogramsAreCumulativeWithTheBoundsThatAreNamed) {
  Metrics metrics("");
  for (const std::int64_t us : {0, 1, 2, 30, 10'000, 10'001}) {
    RequestFacts facts{.api = "completions"};
    facts.own_overhead_us = us;
    metrics.request_ended(facts);
  }
  const std::string text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("understudy_overhead_microseconds_bucket{le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("understudy_overhead_microseconds_bucket{le=\"2\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("understudy_overhead_microseconds_bucket{le=\"20\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("understudy_overhead_microseconds_bucket{le=\"50\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("understudy_overhead_microseconds_bucket{le=\"10000\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("understudy_overhead_microseconds_bucket{le=\"+Inf\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("understudy_overhead_microseconds_count 6\n"));
  EXPECT_THAT(text, HasSubstr("understudy_overhead_microseconds_sum 20034\n"));
  EXPECT_THAT(text, HasSubstr("understudy_time_to_first_byte_seconds_count 0\n"));
  // Bounds are written as they are named: 0.1, not 0.09999999999999999.
  EXPECT_THAT(text, HasSubstr("{le=\"0.1\"} 0\n"));
  EXPECT_THAT(text, Not(ContainsRegex("le=\"[0-9.]*999")));
}

TEST(Metrics, NamesTokensAndTimesAsOpenTelemetryDoes) {
  Metrics metrics("");
  metrics.request_ended(chat());
  const std::string text = metrics.exposition();
  const std::string labels =
      "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"openai\",gen_ai_request_model=\"gpt-"
      "4o\"";
  EXPECT_THAT(text, HasSubstr("gen_ai_client_token_usage_sum{" + labels +
                              ",gen_ai_token_type=\"input\"} 100\n"));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_token_usage_sum{" + labels +
                              ",gen_ai_token_type=\"output\"} 20\n"));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_operation_duration_seconds_sum{" + labels + "} 1.5"));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_operation_duration_seconds_bucket{" + labels +
                              ",le=\"1.28\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gen_ai_client_operation_duration_seconds_bucket{" + labels +
                              ",le=\"2.56\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("gen_ai_server_time_to_first_token_seconds_sum{" + labels + "} 0.4"));
  EXPECT_THAT(text, HasSubstr("understudy_tokens_total{type=\"cached_input\"} 60\n"));
  EXPECT_THAT(text, HasSubstr("understudy_cost_usd_total 0.00045"));
}

TEST(Metrics, ClientsCannotMakeSeriesWithoutEnd) {
  Metrics metrics("");
  for (int i = 0; i < 10'000; ++i) metrics.request_ended(chat("model-" + std::to_string(i)));
  metrics.request_ended(chat(std::string(100'000, 'x')));
  const std::string text = metrics.exposition();
  EXPECT_LT(text.size(), 1024 * limits::kibi);
  EXPECT_THAT(text, HasSubstr("gen_ai_request_model=\"other\""));
  EXPECT_THAT(text, Not(HasSubstr("xxxx")));
  EXPECT_THAT(text, HasSubstr("served_by=\"llm\"} 10001\n"));
}

TEST(Metrics, EscapesNames) {
  Metrics metrics("");
  metrics.request_ended(chat("a\"b\\c\nd"));
  EXPECT_THAT(metrics.exposition(), HasSubstr(R"(gen_ai_request_model="a\"b\\c\nd")"));
}

TEST(Metrics, CountsAttemptsAtUpstreams) {
  Metrics metrics("");
  const std::size_t first = metrics.upstream("openai");
  EXPECT_EQ(metrics.upstream("openai"), first);
  const std::size_t second = metrics.upstream("backup");
  metrics.attempt_ended(first, AttemptOutcome::timeout);
  metrics.retried(second);
  const std::string text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("understudy_upstream_attempts_total{upstream=\"openai\","
                              "outcome=\"timeout\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("understudy_upstream_attempts_total{upstream=\"backup\","
                              "outcome=\"cancelled\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("understudy_retries_total{upstream=\"backup\"} 1\n"));
}

TEST(Metrics, AsksSourcesAtEachScrape) {
  Metrics metrics("");
  double depth = 3;
  metrics.add_source([&depth](Scrape& scrape) {
    scrape.gauge("understudy_log_queue_records", "Calls that wait for the disk.", depth);
    scrape.counter("understudy_log_dropped_total", "Calls not recorded.", 7, {{"why", "full"}});
  });
  EXPECT_THAT(metrics.exposition(), HasSubstr("understudy_log_queue_records 3\n"));
  depth = 4;
  const std::string text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("understudy_log_queue_records 4\n"));
  EXPECT_THAT(text, HasSubstr("understudy_log_dropped_total{why=\"full\"} 7\n"));
}

TEST(Metrics, GaugesGoUpAndDownOnAnyThread) {
  Metrics metrics("");
  metrics.stream_opened();
  metrics.stream_opened();
  std::thread([&metrics] { metrics.stream_closed(); }).join();
  EXPECT_THAT(metrics.exposition(), HasSubstr("understudy_active_streams 1\n"));
  metrics.request_closed();  // more closed than opened is a defect that must be seen
  EXPECT_THAT(metrics.exposition(), HasSubstr("understudy_active_requests -1\n"));
}

TEST(Metrics, LosesNothingWhenThreadsCountTogether) {
  Metrics metrics("");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&metrics] {
        for (int i = 0; i < 10'000; ++i) metrics.request_ended(chat());
      });
    }
  }
  const std::string text = metrics.exposition();
  EXPECT_THAT(text, HasSubstr("served_by=\"llm\"} 40000\n"));
  EXPECT_THAT(text, HasSubstr("understudy_overhead_microseconds_count 40000\n"));
}

TEST(Metrics, TellsAboutTheProcess) {
  const std::string text = Metrics("").exposition();
  for (const char* name :
       {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"})
    EXPECT_THAT(text, HasSubstr(std::string(name) + " "));
}

}  // namespace
}  // namespace understudy::telemetry
