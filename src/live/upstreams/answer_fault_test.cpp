#include "live/upstreams/answer_fault.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace understudy::live {
namespace {

using enum AnswerFault;

AnswerFault fault(unsigned status, std::string_view body) {
  const auto error = wire::read_error(body);
  return fault_of(status, error ? error->kind : wire::ErrorKind::none);
}

TEST(AnswerFault, TellsWhoseFaultARefusalIs) {
  const std::string_view plain = R"({"error":{"message":"no","type":"invalid_request_error"}})";
  EXPECT_EQ(fault(200, R"({"choices":[]})"), none);
  EXPECT_EQ(fault(400, plain), request);
  EXPECT_EQ(fault(404, plain), request);
  EXPECT_EQ(fault(401, plain), credentials);
  EXPECT_EQ(fault(429, plain), rate_limited);
  EXPECT_EQ(fault(408, ""), overloaded);
  EXPECT_EQ(fault(500, "<html>"), overloaded);
  EXPECT_EQ(fault(529, R"({"type":"error","error":{"type":"overloaded_error"}})"), overloaded);
  EXPECT_EQ(fault(429, R"({"error":{"code":"insufficient_quota"}})"), credentials);
}

TEST(AnswerFault, KnowsTheContextLengthErrorsOfTheProviders) {
  for (
      const char* body :
      {R"({"error":{"code":"context_length_exceeded","message":"x"}})",
       R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}})",
       R"({"object":"error","message":"This model's maximum context length is 4096 tokens"})"}) {
    EXPECT_EQ(fault(400, body), context_length) << body;
  }
}

TEST(AnswerFault, AContentFilterIsNeverTriedElsewhere) {
  EXPECT_EQ(fault(400, R"({"error":{"code":"content_filter","message":"no"}})"), content_filter);
  EXPECT_FALSE(worth_another_try(content_filter));
}

TEST(AnswerFault, AStreamThatBeginsWithAnErrorIsReadByItsKind) {
  EXPECT_EQ(fault_of(200, wire::ErrorKind::overloaded), overloaded);
  EXPECT_EQ(fault_of(200, wire::ErrorKind::rate_limit), rate_limited);
  EXPECT_EQ(fault_of(200, wire::ErrorKind::other), request);
}

}  // namespace
}  // namespace understudy::live
