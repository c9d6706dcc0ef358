#include "adapters/lm/chat_client.hpp"

#include <gtest/gtest.h>

namespace understudy::lm {
namespace {

TEST(ChatClient, TakesTheTextOfTheFirstChoice) {
  EXPECT_EQ(*parse_chat_text(R"({"choices":[{"message":{"content":"equal"}}]})"), "equal");
  for (const char* body : {"", "{}", R"({"choices":[]})", R"({"choices":[{"message":{}}]})"})
    EXPECT_FALSE(parse_chat_text(body)) << body;
}

TEST(ChatClient, SaysWhichEndpointIsAway) {
  const auto said = ask_chat({.url = "http://127.0.0.1:1/v1", .model = "m", .api_key = {}}, "?", 5);
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code, ErrorCode::unavailable);
  EXPECT_NE(said.error().to_text().find("127.0.0.1:1"), std::string::npos);
}

}  // namespace
}  // namespace understudy::lm
