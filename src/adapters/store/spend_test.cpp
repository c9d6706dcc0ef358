#include "adapters/store/spend.hpp"

#include <gmock/gmock.h>

namespace understudy::store {
namespace {

UnixMicros at(std::int64_t seconds) { return {seconds * 1'000'000}; }
constexpr std::int64_t last_second_of_2026 = 1'798'761'599;

TEST(Spend, DaysAndMonthsStartAtZero) {
  Spend spend;
  spend.roll(at(last_second_of_2026));
  spend.total = spend.day = spend.month = 5;
  spend.roll(at(last_second_of_2026));
  EXPECT_EQ(spend.day, 5);
  spend.roll(at(last_second_of_2026 + 1));
  EXPECT_EQ(spend.day, 0);
  EXPECT_EQ(spend.month, 0);
  EXPECT_EQ(spend.total, 5);
}

TEST(Spend, KnowsWhenTheNextOnesBegin) {
  EXPECT_EQ(next_day(at(last_second_of_2026)), at(last_second_of_2026 + 1));
  EXPECT_EQ(next_month(at(last_second_of_2026)), at(last_second_of_2026 + 1));
  EXPECT_EQ(next_day(at(last_second_of_2026 + 1)), at(last_second_of_2026 + 1 + 86'400));
  EXPECT_EQ(next_month(at(last_second_of_2026 + 1)), at(last_second_of_2026 + 1 + 31 * 86'400));
}

TEST(Spend, NeverCountsACostAsFree) {
  EXPECT_EQ(to_nano({0.0000001}), 1);
  EXPECT_EQ(to_nano({0}), 0);
  EXPECT_EQ(to_nano({-3}), 0);
  EXPECT_EQ(to_nano({2.5}), 2500);
  EXPECT_EQ(usd_to_nano(1.5), 1'500'000'000);
  EXPECT_GT(to_nano({1e300}), 0);
}

TEST(Spend, SurvivesItsFile) {
  const std::string file = testing::TempDir() + "spend.json";
  const Spend spend{.total = 12,
                    .day = 3,
                    .month = 4,
                    .day_number = 20'000,
                    .month_number = 680,
                    .requests = 7,
                    .tokens = 900};
  ASSERT_TRUE(save_spend(file, {{"agents", spend}}));
  const auto read = load_spend(file);
  ASSERT_TRUE(read.has_value()) << read.error().to_text();
  EXPECT_EQ(read->at("agents").total, 12);
  EXPECT_EQ(read->at("agents").tokens, 900);
  EXPECT_TRUE(load_spend(testing::TempDir() + "no-spend.json")->empty());
}

TEST(Spend, RefusesBrokenNumbers) {
  const Spend spend{.total = 12,
                    .day = 3,
                    .month = 4,
                    .day_number = 20'000,
                    .month_number = 680,
                    .requests = 7,
                    .tokens = 900};
  for (const char* member : {"total_nano_usd", "day", "tokens"}) {
    json::object one = to_json(spend);
    one[member] = -1;
    EXPECT_FALSE(parse_spend(json::to_text(json::object{{"keys", json::object{{"a", one}}}})));
    one.erase(member);
    EXPECT_FALSE(parse_spend(json::to_text(json::object{{"keys", json::object{{"a", one}}}})));
  }
}

}  // namespace
}  // namespace understudy::store
