#include "steps/s5_tune/packing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace understudy::s5 {
namespace {

TEST(Packing, EveryTextIsInOneRowAndRowsAreNearlyFull) {
  std::mt19937_64 random(1);
  std::vector<std::size_t> lengths;
  for (int i = 0; i < 500; ++i) lengths.push_back(20 + random() % 300);
  const auto rows = pack_texts(lengths, {.tokens_max = 1024, .seed = 3});
  std::vector<int> seen(lengths.size(), 0);
  std::size_t tokens = 0;
  for (const auto& row : rows) {
    std::size_t used = 0;
    for (const std::size_t text : row) {
      ++seen[text];
      used += lengths[text];
    }
    EXPECT_LE(used, 1024U);
    tokens += used;
  }
  EXPECT_TRUE(std::ranges::all_of(seen, [](int count) { return count == 1; }));
  EXPECT_GT(static_cast<double>(tokens), 0.93 * 1024.0 * static_cast<double>(rows.size()));
}

TEST(Packing, TheSeedDrawsTheOrder) {
  const std::vector<std::size_t> lengths(50, 10);
  EXPECT_EQ(pack_texts(lengths, {.tokens_max = 40, .seed = 1}),
            pack_texts(lengths, {.tokens_max = 40, .seed = 1}));
  EXPECT_NE(pack_texts(lengths, {.tokens_max = 40, .seed = 1}),
            pack_texts(lengths, {.tokens_max = 40, .seed = 2}));
}

TEST(Packing, TextsShareARowWithOthersOfTheirLength) {
  std::mt19937_64 random(2);
  std::vector<std::size_t> lengths;
  for (int i = 0; i < 600; ++i)
    lengths.push_back(i % 3 == 0 ? 240 + random() % 10 : 20 + random() % 10);
  std::size_t mixed = 0;
  const auto rows = pack_texts(lengths, {.tokens_max = 1024, .seed = 3});
  for (const auto& row : rows) {
    const auto is_long = [&](std::size_t text) { return lengths[text] > 100; };
    mixed += std::ranges::any_of(row, is_long) && !std::ranges::all_of(row, is_long) ? 1U : 0U;
  }
  EXPECT_LE(mixed, 1U);
  EXPECT_GT(rows.size(), 40U);
}

TEST(Packing, ARowDividesIntoLanesOfAboutAsManyTokens) {
  std::mt19937_64 random(3);
  std::vector<std::size_t> lengths;
  for (int i = 0; i < 400; ++i) lengths.push_back(20 + random() % 100);
  for (const auto& row : pack_texts(lengths, {.tokens_max = 1024, .seed = 3, .lanes = 2})) {
    std::size_t tokens = 0;
    for (const std::size_t text : row) tokens += lengths[text];
    if (tokens < 900) continue;  // the last
    std::size_t nearest = tokens;
    std::size_t before = 0;
    for (const std::size_t text : row) {
      before += lengths[text];
      nearest = std::min(nearest, std::max(before, tokens - before));
    }
    EXPECT_LT(static_cast<double>(nearest), 0.56 * static_cast<double>(tokens));
  }
}

TEST(Packing, ALongTextHasARowOfItsOwn) {
  const std::vector<std::size_t> lengths = {5, 100, 5};
  const auto rows = pack_texts(lengths, {.tokens_max = 20, .seed = 1});
  EXPECT_EQ(rows.size(), 2U);
}

}  // namespace
}  // namespace understudy::s5
