#include "records/access.hpp"

#include <gmock/gmock.h>

#include "base/clock.hpp"

namespace understudy {
namespace {

using testing::HasSubstr;

VirtualKey some_key() {
  VirtualKey key;
  key.name = "agents";
  key.hash.fill(0xab);
  key.hint = "wxyz";
  key.tenant = "acme";
  key.limits = {.models = {"gpt-4o*"},
                .requests_per_minute = 60,
                .tokens_per_minute = 1000,
                .usd_per_day = 1.5,
                .usd_per_month = 20.0,
                .budget_usd = 100.0};
  key.human_facing = true;
  key.created_at = {1'700'000'000'000'000};
  key.expires_at = {1'800'000'000'000'000};
  return key;
}

AccessList some_list() {
  AccessList list{.version = 3, .keys = {some_key()}, .tokens = {}};
  list.tokens.push_back({.name = "watch",
                         .role = AccessRole::auditor,
                         .hash = {},
                         .hint = "abcd",
                         .created_at = {1'700'000'000'000'000},
                         .expires_at = {},
                         .revoked_at = {1'750'000'000'000'000}});
  return list;
}

TEST(AccessList, SurvivesItsJson) {
  const json::value tree = to_json(some_list());
  const auto read = access_list_from_json(tree);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(json::to_canonical(to_json(*read)), json::to_canonical(tree));
  const VirtualKey& key = read->keys.at(0);
  EXPECT_EQ(key.hash, some_key().hash);
  EXPECT_EQ(key.limits.models, some_key().limits.models);
  EXPECT_EQ(key.limits.budget_usd, 100.0);
  EXPECT_EQ(key.expires_at, some_key().expires_at);
  EXPECT_FALSE(key.revoked_at.known());
  EXPECT_TRUE(read->tokens.at(0).revoked_at.known());
}

// What cannot be read must not turn into "no limit" or "never".
TEST(AccessList, RefusesWhatWouldOpenAKey) {
  const std::pair<const char*, json::value> breakages[] = {
      {"expires_at", "next year"},  {"expires_at", 5},
      {"revoked_at", true},         {"budget_usd", "10"},
      {"budget_usd", -1},           {"requests_per_minute", 1.5},
      {"tokens_per_minute", "all"}, {"models", "gpt-4o"},
      {"models", json::array{}},    {"hash", "abc"},
      {"name", "../secret"},        {"usd_per_day", 1e300},
  };
  for (const auto& [member, wrong] : breakages) {
    json::value tree = to_json(some_list());
    tree.at("keys").at(0).get_object()[member] = wrong;
    const auto read = access_list_from_json(tree);
    ASSERT_FALSE(read.has_value()) << member;
    EXPECT_EQ(read.error().code, ErrorCode::corrupt) << member;
  }
}

TEST(AccessList, RefusesTwoKeysOfOneName) {
  AccessList list = some_list();
  list.keys.push_back(some_key());
  EXPECT_THAT(access_list_from_json(to_json(list)).error().message, HasSubstr("two are named"));
}

TEST(AccessList, ShowsNoHash) {
  const std::string shown = json::to_text(to_public_json(some_key()));
  EXPECT_THAT(shown, testing::Not(HasSubstr("abab")));
  EXPECT_THAT(shown, HasSubstr("wxyz"));
}

TEST(MatchesGlob, StarsStandForAnything) {
  EXPECT_TRUE(matches_glob("gpt-4o*", "gpt-4o-mini"));
  EXPECT_TRUE(matches_glob("gpt-4o*", "gpt-4o"));
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*b*c", "aXbXbXc"));
  EXPECT_FALSE(matches_glob("a*b*c", "aXbX"));
  EXPECT_FALSE(matches_glob("gpt-4o", "gpt-4o-mini"));
  EXPECT_FALSE(matches_glob("gpt-4o*", "gpt-4"));
  EXPECT_FALSE(matches_glob("", "x"));
  // Many stars on a long text that nearly matches: not exponential.
  EXPECT_FALSE(matches_glob("*a*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST(CheckAccessName, TakesNamesThatAreSafeEverywhere) {
  EXPECT_TRUE(check_access_name("team-a_1.x@host"));
  EXPECT_FALSE(check_access_name(""));
  EXPECT_FALSE(check_access_name("a/b"));
  EXPECT_FALSE(check_access_name("a b"));
  EXPECT_FALSE(check_access_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace understudy
