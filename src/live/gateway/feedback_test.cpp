#include "live/gateway/feedback.hpp"

#include <gtest/gtest.h>

#include <string>

namespace understudy::live {
namespace {

TEST(Feedback, IsAboutOneCallOrOneSession) {
  const auto call = parse_feedback(R"({"call_id":"0197","reward":0.5,"comment":"good"})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->call.value, "0197");
  EXPECT_EQ(call->name, "reward");
  EXPECT_EQ(call->reward, 0.5);
  EXPECT_EQ(call->comment.reveal(), "good");
  const auto session = parse_feedback(R"({"session_id":"run-7","name":"tests","reward":0})");
  ASSERT_TRUE(session);
  EXPECT_EQ(session->session.value, "run-7");
  EXPECT_EQ(session->name, "tests");
}

TEST(Feedback, WhatSaysNothingIsRefusedWithAnExample) {
  const std::string long_id(10'000, 'x');
  for (const std::string& body :
       {std::string("[]"), std::string("{"), std::string(R"({"reward":1})"),
        std::string(R"({"call_id":"a","session_id":"b","reward":1})"),
        std::string(R"({"call_id":"a"})"), std::string(R"({"call_id":"a","reward":"good"})"),
        R"({"call_id":")" + long_id + R"(","reward":1})"}) {
    const auto feedback = parse_feedback(body);
    ASSERT_FALSE(feedback) << body.substr(0, 80);
    EXPECT_EQ(feedback.error().code, ErrorCode::invalid_input);
  }
}

}  // namespace
}  // namespace understudy::live
