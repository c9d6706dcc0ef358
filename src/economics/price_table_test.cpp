#include "economics/price_table.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "economics/savings.hpp"

namespace understudy::economics {
namespace {

constexpr std::string_view own_prices = R"(
[machine]
usd_per_hour = 0.36
[[price]]
model = "house-model"
input_usd_per_million = 1
output_usd_per_million = 2
[[price]]
model = "house-*"
input_usd_per_million = 5
output_usd_per_million = 5
)";

TEST(PriceTable, EveryBuiltInPriceHasADateAndASource) {
  const PriceTable table = PriceTable::built_in();
  EXPECT_GE(table.prices().size(), 10);
  for (const Price& price : table.prices()) {
    EXPECT_FALSE(price.as_of.empty()) << price.model;
    EXPECT_FALSE(price.source.empty()) << price.model;
  }
}

TEST(PriceTable, ADatedVersionHasThePriceOfItsModelAndASisterModelHasNot) {
  const PriceTable table = PriceTable::built_in();
  EXPECT_EQ(table.find("gpt-4o-2024-08-06")->model, "gpt-4o");
  EXPECT_EQ(table.find("gpt-4o-mini-2024-07-18")->model, "gpt-4o-mini");
  EXPECT_EQ(table.find("openai/gpt-4o")->model, "gpt-4o");
  EXPECT_EQ(table.find("gpt-4-0613")->model, "gpt-4");
  EXPECT_FALSE(table.find("gpt-4o-audio-preview").has_value());
  EXPECT_FALSE(table.find("a-model-of-ours").has_value());
}

TEST(PriceTable, TheUsersPricesGoFirstAndTheBuiltInOnesStay) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("price_table_test." + std::to_string(::getpid()) + ".toml");
  std::ofstream(file) << own_prices << "[[price]]\nmodel = \"gpt-4o\"\ninput_usd_per_million = 9\n"
                      << "output_usd_per_million = 9\n";
  const auto table = PriceTable::load(file);
  std::filesystem::remove(file);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->find("gpt-4o")->input_usd_per_million, 9);
  EXPECT_EQ(table->find("gpt-4.1")->input_usd_per_million, 2);
  EXPECT_EQ(table->find("house-model")->output_usd_per_million, 2);
  EXPECT_EQ(table->find("house-large")->output_usd_per_million, 5);
  EXPECT_EQ(table->machine_usd_per_hour(), 0.36);
}

TEST(PriceTable, AMissingFileMeansTheBuiltInPrices) {
  const auto table = PriceTable::load("/nowhere/prices.toml");
  ASSERT_TRUE(table);
  EXPECT_TRUE(table->find("gpt-4o").has_value());
}

TEST(PriceTable, BadFilesNameTheLine) {
  const auto line_of = [](std::string_view text) {
    const auto table = PriceTable::parse(text, "prices.toml");
    return table ? std::string("accepted") : table.error().message;
  };
  EXPECT_TRUE(line_of("x = 1\ny = = 2\n").starts_with("prices.toml:2:"));
  EXPECT_TRUE(line_of("\n\n[[price]]\nmodel = \"a\"\n").starts_with("prices.toml:3:"));
  EXPECT_NE(line_of("[[price]]\nmodel = \"a\"\ninput_usd_per_million = -1\n"
                    "output_usd_per_million = 1\n"),
            "accepted");
  EXPECT_NE(line_of("[machine]\nusd_per_hour = \"much\"\n"), "accepted");
}

TEST(Savings, CountCallsTokensAndMoneyOfBothServers) {
  const auto table = PriceTable::parse(own_prices, "test");
  ASSERT_TRUE(table);
  Ledger ledger(*table);
  ledger.add_llm_call("house-model", {.prompt = 1000, .completion = 500});
  ledger.add_slm_call("house-model", {.prompt = 3000, .completion = 1500}, 1'000'000);
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
  ledger.add_llm_call("a-model-of-ours", {.prompt = 10, .completion = 10});
  EXPECT_EQ(ledger.savings().unpriced_calls, 1);
  EXPECT_EQ(ledger.unpriced_models().at("a-model-of-ours"), 1);
  EXPECT_EQ(ledger.savings().llm_cost_per_call().value, 0);
}

TEST(Savings, NothingHasNoShare) { EXPECT_EQ(Savings{}.share_of_cost(), 0); }

}  // namespace
}  // namespace understudy::economics
