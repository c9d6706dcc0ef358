#include "console/web/traffic_series.hpp"

#include <gmock/gmock.h>

namespace understudy::console {
namespace {

constexpr std::int64_t start_s = 1'790'000'040;  // a whole minute

Call call_at(std::int64_t second, Server server = Server::llm, std::string task = {}) {
  Call call;
  call.started_at = {(start_s + second) * 1'000'000};
  call.requested_model = "gpt-4o";
  call.served_model = server == Server::llm ? "gpt-4o" : "nano-1";
  call.route.server = server;
  call.route.task = std::move(task);
  call.usage = {.prompt_tokens = 1000, .completion_tokens = 100};
  return call;
}

class TrafficSeriesTest : public testing::Test {
 protected:
  economics::PriceTable prices_ = economics::PriceTable::built_in();
  TrafficSeries series_{prices_};

  json::value shown(UnixMicros since = {}, std::size_t buckets_max = 100) const {
    return series_.to_json(since, buckets_max, {{"t-1", 0.5}});
  }
};

TEST_F(TrafficSeriesTest, CountsByServerAndFillsEmptyMinutes) {
  series_.add(call_at(0));
  series_.add(call_at(30));
  series_.add(call_at(125, Server::slm, "t-1"));
  const auto tree = shown();
  const json::array& buckets = *json::find_array(tree, "buckets");
  ASSERT_EQ(buckets.size(), 3U);
  EXPECT_EQ(json::find_integer(buckets[0], "llm"), 2);
  EXPECT_EQ(json::find_integer(buckets[0], "t"), start_s);
  EXPECT_EQ(json::find_integer(buckets[1], "llm"), 0);
  EXPECT_EQ(json::find_integer(buckets[2], "slm"), 1);
  EXPECT_EQ(json::find_number(buckets[2], "saved_usd"), 0.5);
  EXPECT_EQ(json::find_number(buckets[2], "cost_usd"), 0);
  EXPECT_GT(json::find_number(buckets[0], "cost_usd").value_or(0), 0);
  EXPECT_EQ(json::find_array(tree, "models")->size(), 2U);
}

TEST_F(TrafficSeriesTest, FewerBucketsHoldTheSameCalls) {
  for (int minute = 0; minute < 600; ++minute) series_.add(call_at(60 * minute));
  const auto tree = shown({}, 7);
  const json::array& buckets = *json::find_array(tree, "buckets");
  EXPECT_LE(buckets.size(), 7U);
  std::int64_t calls = 0;
  for (const json::value& bucket : buckets) calls += json::find_integer(bucket, "llm").value_or(0);
  EXPECT_EQ(calls, 600);
  EXPECT_EQ(json::find_integer(tree, "width_s"), 7200)
      << "a bar is as wide as a person would choose";
}

TEST_F(TrafficSeriesTest, YearsOfMinutesStayBounded) {
  for (int i = 0; i < 20'000; ++i) series_.add(call_at(std::int64_t{i} * 600));
  const auto tree = shown({}, 100'000);
  EXPECT_LE(json::find_array(tree, "buckets")->size(), 4096U);
  EXPECT_EQ(json::find_integer(tree, "calls"), 20'000);
}

TEST_F(TrafficSeriesTest, SinceLeavesOutWhatWasBefore) {
  for (int minute = 0; minute < 60; ++minute) series_.add(call_at(60 * minute));
  EXPECT_EQ(json::find_integer(shown({(start_s + 50 * 60) * 1'000'000}), "calls"), 10);
  EXPECT_EQ(json::find_integer(shown({(start_s + 99'999) * 1'000'000}), "calls"), 0);
}

}  // namespace
}  // namespace understudy::console
