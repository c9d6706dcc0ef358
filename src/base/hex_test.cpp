#include "base/hex.hpp"

#include <gtest/gtest.h>

namespace understudy {
namespace {

TEST(Hex, DigitsOfEitherCaseHaveValues) {
  EXPECT_EQ(hex_value('0'), 0);
  EXPECT_EQ(hex_value('f'), 15);
  EXPECT_EQ(hex_value('F'), 15);
  EXPECT_LT(hex_value('g'), 0);
  EXPECT_LT(hex_value('G'), 0);
  EXPECT_LT(hex_value('\xe9'), 0);
  EXPECT_LT(lower_hex_value('F'), 0);
}

TEST(Hex, EveryByteComesBack) {
  std::array<std::uint8_t, 256> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  std::array<std::uint8_t, 256> read{};
  ASSERT_TRUE(from_lower_hex(to_hex(bytes), read));
  EXPECT_EQ(read, bytes);
}

TEST(Hex, WhatIsNoLowerCaseHexIsRefused) {
  std::array<std::uint8_t, 2> bytes{};
  EXPECT_TRUE(from_lower_hex("00ff", bytes));
  EXPECT_FALSE(from_lower_hex("00fF", bytes));
  EXPECT_FALSE(from_lower_hex("00f", bytes));
  EXPECT_FALSE(from_lower_hex("0x00", bytes));
  EXPECT_FALSE(from_lower_hex("-1-1", bytes));
}

TEST(Percent, CodesAreDecodedOnce) {
  EXPECT_EQ(decode_percent("user%40host%2Fa%2fb"), "user@host/a/b");
  EXPECT_EQ(decode_percent("%2540"), "%40");
  EXPECT_EQ(decode_percent(std::string("%00")), std::string(1, '\0'));
}

TEST(Percent, WhatIsNoCodeStays) {
  for (const char* text : {"", "%", "%4", "100%", "%zz", "%-1", "% 1", "a%g0b", "%%"})
    EXPECT_EQ(decode_percent(text), text);
  EXPECT_EQ(decode_percent("%%41"), "%A");
}

}  // namespace
}  // namespace understudy
