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

TEST(Packing, ALongTextHasARowOfItsOwn) {
  const std::vector<std::size_t> lengths = {5, 100, 5};
  const auto rows = pack_texts(lengths, {.tokens_max = 20, .seed = 1});
  EXPECT_EQ(rows.size(), 2U);
}

}  // namespace
}  // namespace understudy::s5
