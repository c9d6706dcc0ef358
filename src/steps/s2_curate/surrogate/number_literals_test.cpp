#include "steps/s2_curate/surrogate/number_literals.hpp"

#include <gmock/gmock.h>

namespace understudy::s2 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> written(std::string_view text) {
  std::vector<std::string> found;
  for (const NumberLiteral& number : numbers_in(text))
    found.emplace_back(text.substr(number.begin, number.end - number.begin));
  return found;
}

TEST(NumberLiterals, AreAmountsCountsAndMeasures) {
  EXPECT_THAT(written("sent 1,250.50 of $2000, (-42) in 12 boxes, 300"),
              ElementsAre("1,250.50", "2000", "42", "12", "300"));
  EXPECT_THAT(written(R"({\"n\": 48,\"p\": 19.90})"), ElementsAre("48", "19.90"));
}

TEST(NumberLiterals, AreNoPartsOfOtherThingsNorSmallOnesYearsAndShares) {
  EXPECT_THAT(written("HAT123 user_17 2024-05-12 12:30:45 1.2.33 10.0.0.1 #77 a/55 A-12 call_99 "
                      "7 items in 2024, 300,45 45% of 0077, 40px, 1234567890123, 12.345678"),
              IsEmpty());
}

TEST(NumberLiterals, AreScaledInTheirOwnWriting) {
  const auto changed = [](std::string_view text, std::uint32_t factor_e4) {
    const NumberLiteral number = numbers_in(text).at(0);
    return written_as(scaled(number.value, factor_e4), number);
  };
  EXPECT_EQ(changed("1,250.50", 11'000), "1,375.60");  // as 1250.5: one decimal
  EXPECT_EQ(changed("1250.5", 11'000), "1375.6");
  EXPECT_EQ(changed("999", 12'000), "1199");
  EXPECT_EQ(changed("999,000", 12'000), "1,198,800");
  EXPECT_EQ(changed("19.99", 10'500), "20.99");
  // Found by fuzzing: the product did not fit.
  EXPECT_EQ(changed("133333333333.8109", 10'500), "140000000000.5014");
}

}  // namespace
}  // namespace understudy::s2
