#include "live/admin/key_request.hpp"

#include <gmock/gmock.h>

namespace understudy::live {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParseKeyRequest, ReadsEveryMember) {
  const auto key = parse_key_request(
      R"({"name":"agents","tenant":"acme","models":["gpt-4o*"],"requests_per_minute":60,
          "tokens_per_minute":1000,"usd_per_day":1.5,"usd_per_month":20,"budget_usd":100,
          "expires_at":"2030-01-31","human_facing":true})");
  ASSERT_TRUE(key.has_value()) << key.error().message;
  EXPECT_EQ(key->name, "agents");
  EXPECT_EQ(key->tenant, "acme");
  EXPECT_THAT(key->limits.models, ElementsAre("gpt-4o*"));
  EXPECT_EQ(key->limits.requests_per_minute, 60);
  EXPECT_EQ(key->limits.tokens_per_minute, 1000);
  EXPECT_EQ(key->limits.usd_per_day, 1.5);
  EXPECT_EQ(key->limits.usd_per_month, 20);
  EXPECT_EQ(key->limits.budget_usd, 100);
  EXPECT_TRUE(key->expires_at.known());
  EXPECT_TRUE(key->human_facing);
}

TEST(ParseKeyRequest, NeedsOnlyAName) {
  const auto key = parse_key_request(R"({"name":"a"})");
  ASSERT_TRUE(key);
  EXPECT_FALSE(key->limits.budget_usd);
  EXPECT_FALSE(parse_key_request("{}"));
}

// What cannot be read must not turn into "no limit".
TEST(ParseKeyRequest, RefusesWhatWouldOpenTheKey) {
  for (const char* wrong :
       {R"({"name":"a","budget":1})", R"({"name":"a","budget_usd":"1"})",
        R"({"name":"a","budget_usd":-1})", R"({"name":"a","requests_per_minute":1.5})",
        R"({"name":"a","models":"gpt-4o"})", R"({"name":"a","models":[]})",
        R"({"name":"a","expires_at":"soon"})", R"({"name":"a","human_facing":"no"})",
        R"({"name":"a/b"})", "[]", "", "{\"name\":\"a\""})
    EXPECT_FALSE(parse_key_request(wrong)) << wrong;
  EXPECT_THAT(parse_key_request(R"({"name":"a","budget":1})").error().message,
              HasSubstr("no member \"budget\""));
}

}  // namespace
}  // namespace understudy::live
