#include "economics/price_table.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

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
  EXPECT_TRUE(line_of(std::string_view("\n[\0\0]\n", 6)).starts_with("prices.toml:2:"));
  EXPECT_NE(line_of("[machine]\nusd_per_hour = \"much\"\n"), "accepted");
}

}  // namespace
}  // namespace understudy::economics
