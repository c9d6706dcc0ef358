#include "records/formats.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace understudy {
namespace {

using testing::HasSubstr;

TEST(Formats, EachTakesWhatItReadsAndRefusesTheRestWithARemedy) {
  for (std::size_t i = 0; i < formats.size(); ++i) {
    const auto id = static_cast<FormatId>(i);
    const Format& format = format_of(id);
    ASSERT_LE(format.oldest, format.newest) << format.name;
    for (std::int64_t version = format.oldest; version <= format.newest; ++version)
      EXPECT_TRUE(check_format(id, version)) << format.name;
    const auto newer = check_format(id, format.newest + 1);
    ASSERT_FALSE(newer);
    EXPECT_EQ(newer.error().code, ErrorCode::unsupported);
    EXPECT_THAT(newer.error().message, HasSubstr(format.name));
    EXPECT_THAT(newer.error().hint, HasSubstr("use a newer understudy"));
    EXPECT_THAT(check_format(id, format.oldest - 1).error().hint, HasSubstr("backup"));
    if (format.oldest < format.newest) {
      EXPECT_FALSE(format.older.empty()) << format.name;
    }
  }
}

}  // namespace
}  // namespace understudy
