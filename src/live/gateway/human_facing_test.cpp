#include "live/gateway/human_facing.hpp"

#include <gtest/gtest.h>

namespace understudy::live {
namespace {

net::HttpRequest request(std::string user_agent = "agent/1") {
  net::HttpRequest request;
  request.target = "/v1/chat/completions";
  request.headers.add("User-Agent", std::move(user_agent));
  return request;
}

TEST(HumanFacing, NothingSaysSo) {
  EXPECT_FALSE(is_human_facing({}, {.request = request(), .key_name = {}, .model = "m"}));
}

TEST(HumanFacing, TheHeaderAndTheKeySaySo) {
  net::HttpRequest chat = request();
  EXPECT_TRUE(is_human_facing(
      {}, {.request = chat, .key_name = "ui", .key_is_human_facing = true, .model = {}}));
  chat.headers.add("x-understudy-human", "1");
  EXPECT_TRUE(is_human_facing({}, {.request = chat, .key_name = {}, .model = {}}));
}

TEST(HumanFacing, ARuleHoldsWhenAllItsConditionsDo) {
  std::vector<HumanFacingRule> rules(1);
  rules[0].user_agent_prefix = "Mozilla/";
  rules[0].model = "chat";
  const net::HttpRequest browser = request("mozilla/5.0");
  EXPECT_TRUE(is_human_facing(rules, {.request = browser, .key_name = {}, .model = "chat"}));
  EXPECT_FALSE(is_human_facing(rules, {.request = browser, .key_name = {}, .model = "other"}));
  EXPECT_FALSE(is_human_facing(rules, {.request = request(), .key_name = {}, .model = "chat"}));
  net::HttpRequest said = browser;
  said.headers.add("x-understudy-human", "0");
  EXPECT_FALSE(is_human_facing(rules, {.request = said, .key_name = {}, .model = "chat"}));
}

TEST(HumanFacing, AHeaderRuleNeedsItsValueWhereItNamesOne) {
  std::vector<HumanFacingRule> rules(1);
  rules[0].header = "X-Channel";
  net::HttpRequest call = request();
  EXPECT_FALSE(is_human_facing(rules, {.request = call, .key_name = {}, .model = {}}));
  call.headers.add("x-channel", "support");
  EXPECT_TRUE(is_human_facing(rules, {.request = call, .key_name = {}, .model = {}}));
  rules[0].header_value = "sales";
  EXPECT_FALSE(is_human_facing(rules, {.request = call, .key_name = {}, .model = {}}));
}

}  // namespace
}  // namespace understudy::live
