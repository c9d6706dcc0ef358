#include "steps/s5_tune/torch/logits_check.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace understudy::s5 {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(LogitsCheck, AValueThatIsNoNumberIsTheLargestDifference) {
  EXPECT_DOUBLE_EQ(apart({{1, 2}, {3, 4}}, {{1, 2.5}, {3, 3.75}}), 0.5);
  EXPECT_TRUE(std::isnan(apart({{1, nan, 9}}, {{1, 2, 3}})));
  EXPECT_TRUE(std::isnan(apart({{1, 2}}, {{nan, 2}})));
  double most = 1;
  take_larger(most, nan);
  take_larger(most, 2);
  EXPECT_TRUE(std::isnan(most));
}

}  // namespace
}  // namespace understudy::s5
