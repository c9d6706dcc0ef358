#include "adapters/wire/response_facts.hpp"

#include <gmock/gmock.h>

#include "adapters/wire/errors.hpp"

namespace understudy::wire {
namespace {

TEST(ResponseFacts, ReadsAChatCompletion) {
  const ResponseFacts facts = read_response(
      Api::chat_completions,
      R"({"id":"c","model":"gpt-4o-2024","choices":[{"finish_reason":"tool_calls","message":{"content":"\"finish_reason\":1"}},{"finish_reason":"stop"}],
      "usage":{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}},"error":null})");
  EXPECT_EQ(facts.served_model, "gpt-4o-2024");
  EXPECT_EQ(facts.finish_reason, "tool_calls");
  EXPECT_EQ(facts.usage->prompt_tokens, 7);
  EXPECT_EQ(facts.usage->cached_prompt_tokens, 4);
  EXPECT_EQ(facts.error, "");
  EXPECT_TRUE(facts.is_json);
}

TEST(ResponseFacts, ReadsAnAnthropicMessage) {
  const ResponseFacts facts = read_response(
      Api::messages,
      R"({"id":"m","type":"message","model":"claude","stop_reason":"refusal","usage":{"input_tokens":1,"cache_read_input_tokens":20,"cache_creation_input_tokens":300,"output_tokens":5}})");
  EXPECT_EQ(facts.finish_reason, "content_filter");
  EXPECT_EQ(facts.usage->prompt_tokens, 321);
  EXPECT_EQ(facts.usage->cached_prompt_tokens, 20);
}

TEST(ResponseFacts, ReadsAResponse) {
  EXPECT_EQ(read_response(Api::responses, R"({"status":"completed","output":[{"type":"message"}]})")
                .finish_reason,
            "stop");
  EXPECT_EQ(
      read_response(Api::responses,
                    R"({"status":"incomplete","incomplete_details":{"reason":"content_filter"}})")
          .finish_reason,
      "content_filter");
  EXPECT_EQ(read_response(Api::responses,
                          R"({"status":"failed","error":{"code":"server_error","message":"m"}})")
                .error,
            "error/server_error");
}

TEST(ResponseFacts, HasNothingToSayOfWhatIsNoJson) {
  for (const char* body : {"", "<html>", "{\"id\":", "[1]", "\"x\"", "{\"id\":\"a\"}}"}) {
    const ResponseFacts facts = read_response(Api::chat_completions, body);
    EXPECT_FALSE(facts.is_json) << body;
    EXPECT_FALSE(facts.usage);
  }
}

TEST(ResponseFacts, HostileCountsDoNotOverflow) {
  const ResponseFacts facts = read_response(
      Api::messages,
      R"({"usage":{"input_tokens":9223372036854775807,"cache_read_input_tokens":9223372036854775807,"cache_creation_input_tokens":-5,"output_tokens":1e99}})");
  EXPECT_GT(facts.usage->prompt_tokens, 0);
  EXPECT_EQ(facts.usage->completion_tokens, 0);
}

TEST(Errors, AreClassifiedByWhatCanBeDone) {
  const auto kind = [](const char* body) { return read_error(body)->kind; };
  EXPECT_EQ(
      kind(
          R"({"error":{"message":"m","type":"invalid_request_error","code":"context_length_exceeded"}})"),
      ErrorKind::context_length);
  EXPECT_EQ(
      kind(
          R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}})"),
      ErrorKind::context_length);
  EXPECT_EQ(
      kind(
          R"({"object":"error","message":"This model's maximum context length is 4096 tokens","type":"BadRequestError","code":400})"),
      ErrorKind::context_length);
  EXPECT_EQ(
      kind(
          R"({"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}})"),
      ErrorKind::context_length);
  EXPECT_EQ(kind(R"({"error":{"message":"m","code":"content_filter"}})"),
            ErrorKind::content_filter);
  EXPECT_EQ(
      kind(R"({"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}})"),
      ErrorKind::quota);
  EXPECT_EQ(kind(R"({"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}})"),
            ErrorKind::rate_limit);
  EXPECT_EQ(kind(R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})"),
            ErrorKind::overloaded);
  EXPECT_EQ(kind(R"({"error":"model 'x' not found"})"), ErrorKind::other);
  EXPECT_FALSE(read_error(R"({"choices":[],"error":null})"));
  EXPECT_FALSE(read_error("<html>502</html>"));
}

TEST(Errors, LabelsHoldWordsOnly) {
  EXPECT_EQ(read_error(R"({"error":{"type":"my name is Ann","code":"and this too","message":"m"}})")
                ->label(),
            "error");
}

TEST(Errors, TakeTheShapeOfTheApi) {
  const ApiError overloaded{.status = 503, .message = "busy", .type = {}, .code = {}};
  EXPECT_EQ(error_body(Api::chat_completions, overloaded),
            R"({"error":{"message":"busy","type":"server_error","param":null,"code":null}})");
  EXPECT_EQ(error_body(Api::messages, overloaded),
            R"({"type":"error","error":{"type":"overloaded_error","message":"busy"}})");
  EXPECT_EQ(error_body(Api::messages, {.status = 402,
                                       .message = "m",
                                       .type = "insufficient_quota",
                                       .code = "insufficient_quota"}),
            R"({"type":"error","error":{"type":"billing_error","message":"m"}})");
  EXPECT_EQ(
      error_body(Api::responses, {.status = 429,
                                  .message = "m",
                                  .type = "rate_limit_error",
                                  .code = "rate_limit_exceeded"}),
      R"({"error":{"message":"m","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}})");
}

TEST(Errors, VllmsShapeBecomesOpenAis) {
  EXPECT_EQ(
      normalise_error(
          Api::chat_completions, 400,
          R"({"object":"error","message":"too long","type":"BadRequestError","param":null,"code":400})"),
      R"({"error":{"message":"too long","type":"BadRequestError","param":null,"code":"400"}})");
  for (const char* body : {R"({"error":{"message":"m"}})", "<html>", R"({"detail":"x"})", ""})
    EXPECT_EQ(normalise_error(Api::chat_completions, 400, body), body);
}

}  // namespace
}  // namespace understudy::wire
