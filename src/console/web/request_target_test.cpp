#include "console/web/request_target.hpp"

#include <gmock/gmock.h>

namespace understudy::console {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(ParseTarget, TakesPathAndQueryApart) {
  const auto target = parse_target("/api/tasks/t-1%20x?q=a+b%3D&limit=5&flag");
  ASSERT_TRUE(target.has_value());
  EXPECT_THAT(target->path, ElementsAre("api", "tasks", "t-1 x"));
  EXPECT_THAT(target->query, ElementsAre(Pair("flag", ""), Pair("limit", "5"), Pair("q", "a b=")));
  EXPECT_THAT(parse_target("/")->path, IsEmpty());
}

TEST(ParseTarget, RefusesWhatCouldMeanAnotherPath) {
  for (const char* wrong :
       {"", "api", "/api/../keys", "/api/%2e%2e/keys", "/api/%2E./keys", "/a//b", "/a/", "/a%2fb",
        "/a%5cb", "/a%00", "/a%0d%0aX: y", "/a?x=%0d%0aSet-Cookie:%20a", "/%", "/%zz", "/."})
    EXPECT_FALSE(parse_target(wrong)) << wrong;
  EXPECT_FALSE(parse_target("/" + std::string(5000, 'a')));
}

TEST(RequestTarget, CountsWithinALimit) {
  const auto target = parse_target("/x?a=5&b=51&c=-1&d=5x");
  EXPECT_EQ(target->count_or("a", 1, 50).value(), 5U);
  EXPECT_EQ(target->count_or("none", 7, 50).value(), 7U);
  for (const char* wrong : {"b", "c", "d"}) EXPECT_FALSE(target->count_or(wrong, 1, 50)) << wrong;
}

}  // namespace
}  // namespace understudy::console
