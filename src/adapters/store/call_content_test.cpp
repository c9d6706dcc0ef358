#include "adapters/store/call_content.hpp"

#include <gtest/gtest.h>

#include "adapters/store/field_codec.hpp"
#include "base/limits.hpp"

namespace understudy::store {
namespace {

std::string varints(std::initializer_list<std::uint64_t> numbers) {
  std::string bytes;
  for (const std::uint64_t number : numbers) put_varint(bytes, number);
  return bytes;
}

// Found by fuzzing: the length of a request without parts was reserved before it was checked.
TEST(CallContent, ALengthThatLiesReservesNoMemory) {
  constexpr std::uint64_t huge = 6'174'015'270;
  ReadParts parts;
  EXPECT_FALSE(parse_content(varints({0, huge, 0}), parts));
  EXPECT_FALSE(parse_content(varints({1, huge, 0, 0, 0, 0}), parts));
  EXPECT_FALSE(parse_content(varints({1, 0, 0, huge, 0, 0}), parts));
  EXPECT_FALSE(parse_content(varints({2, 3, 0, 3, 3, 0, 3, 3, 0}) + "twelve bytes", parts));
}

TEST(CallContent, IsReadAsItWasWritten) {
  ReadParts parts;
  const auto content = parse_content(varints({1, 1, 0, 2, 3, 5}) + "[ab, c]done", parts);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->request.reveal(), "[ab, c");
  EXPECT_EQ(content->response.reveal(), "]done");
}

}  // namespace
}  // namespace understudy::store
