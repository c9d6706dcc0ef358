#include "console/bake_off.hpp"

#include <gtest/gtest.h>

namespace understudy::console {
namespace {

TEST(BakeOff, TheBetterHalfGoesOnAndOfEqualsTheFirst) {
  EXPECT_EQ(survivors(std::vector{0.1, 0.9, 0.5, 0.4}), (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(survivors(std::vector{0.0, 0.0, 0.0}), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(survivors(std::vector{-1.0, 0.2}), (std::vector<std::size_t>{1}));
  EXPECT_EQ(survivors(std::vector{0.3}), (std::vector<std::size_t>{0}));
}

}  // namespace
}  // namespace understudy::console
