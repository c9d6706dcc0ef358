#include "economics/savings.hpp"

#include <gtest/gtest.h>

namespace understudy::economics {
namespace {

constexpr std::string_view own_prices = R"(
[machine]
usd_per_hour = 0.36
[[price]]
model = "house-model"
input_usd_per_million = 1
output_usd_per_million = 2
)";

TEST(Savings, CountCallsTokensAndMoneyOfBothServers) {
  const auto table = PriceTable::parse(own_prices, "test");
  ASSERT_TRUE(table);
  Ledger ledger(*table);
  ledger.add_llm_calls("house-model", 1, {.prompt = 1000, .completion = 500});
  ledger.add_slm_calls(
      "house-model",
      {.calls = 1, .tokens = {.prompt = 3000, .completion = 1500}, .busy_us = 1'000'000});
  const Savings& savings = ledger.savings();
  EXPECT_DOUBLE_EQ(savings.llm_cost.value, 2000);
  EXPECT_DOUBLE_EQ(savings.avoided.value, 6000);
  EXPECT_DOUBLE_EQ(savings.machine_cost.value, 100);  // one second at 0.36 dollars an hour
  EXPECT_DOUBLE_EQ(savings.saved().value, 5900);
  EXPECT_DOUBLE_EQ(savings.share_of_calls(), 0.5);
  EXPECT_DOUBLE_EQ(savings.share_of_tokens(), 0.75);
  EXPECT_DOUBLE_EQ(savings.share_of_cost(), 0.75);
}

TEST(Savings, AModelWithoutAPriceIsCountedAndNamed) {
  const PriceTable table = PriceTable::built_in();
  Ledger ledger(table);
  ledger.add_llm_calls("a-model-of-ours", 1, {.prompt = 10, .completion = 10});
  EXPECT_EQ(ledger.savings().unpriced_calls, 1);
  EXPECT_EQ(ledger.unpriced_models().at("a-model-of-ours"), 1);
  EXPECT_EQ(ledger.savings().llm_cost_per_call().value, 0);
}

TEST(Savings, NothingHasNoShare) { EXPECT_EQ(Savings{}.share_of_cost(), 0); }

}  // namespace
}  // namespace understudy::economics
