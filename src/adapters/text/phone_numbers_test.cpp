#include "adapters/text/phone_numbers.hpp"

#include <gtest/gtest.h>

namespace understudy::text {
namespace {

TEST(PhoneNumbers, ReadsTheInternationalForm) {
  const auto number = parse_phone_number("+49 (0)30 901820");
  ASSERT_TRUE(number.has_value());
  EXPECT_EQ(number->country_code, 49);
  EXPECT_EQ(number->national, "30901820");
  EXPECT_TRUE(number->valid);
}

TEST(PhoneNumbers, ReadsALocalFormOnlyWithItsRegion) {
  EXPECT_FALSE(parse_phone_number("(415) 555-2671").has_value());
  const auto number = parse_phone_number("(415) 555-2671", "US");
  ASSERT_TRUE(number.has_value());
  EXPECT_EQ(number->country_code, 1);
  EXPECT_EQ(number->national, "4155552671");
}

TEST(PhoneNumbers, TellsPossibleFromValid) {
  const auto number = parse_phone_number("+1 123-456-7890");
  ASSERT_TRUE(number.has_value());
  EXPECT_FALSE(number->valid);
}

TEST(PhoneNumbers, RefusesWhatIsNoNumber) {
  EXPECT_FALSE(parse_phone_number("", "US").has_value());
  EXPECT_FALSE(parse_phone_number("hello", "US").has_value());
  EXPECT_FALSE(parse_phone_number("+1 12").has_value());
  EXPECT_FALSE(parse_phone_number("\xff\xfe+1 415", "US").has_value());
}

}  // namespace
}  // namespace understudy::text
