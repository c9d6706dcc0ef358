#include "adapters/lm/endpoint_model.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace understudy::lm {
namespace {

const ModelEndpoint endpoint{.url = "http://127.0.0.1:1/v1", .model = "router"};

Question question() {
  return {
      .slots = {"a", "b"}, .grammar = "root ::= \"x\"", .schema = json::object{{"type", "object"}}};
}

TEST(EndpointRequest, HasTheSchemaInOpenAisForm) {
  const json::object body = endpoint_request(endpoint, question(), 20);
  EXPECT_EQ(body.at("model"), "router");
  EXPECT_EQ(body.at("messages").at(0).at("content"), "a\nb");
  EXPECT_EQ(body.at("temperature"), 0.0);
  EXPECT_FALSE(body.contains("seed"));
  EXPECT_EQ(body.at("response_format"),
            *json::parse(R"({"type":"json_schema","json_schema":)"
                         R"({"name":"answer","strict":true,"schema":{"type":"object"}}})"));
  EXPECT_FALSE(body.contains("structured_outputs"));
}

TEST(EndpointRequest, HasVllmsFormForSchemasAndForTools) {
  ModelEndpoint vllm = endpoint;
  vllm.form = ConstraintForm::structured_outputs;
  EXPECT_EQ(endpoint_request(vllm, question(), 20).at("structured_outputs"),
            *json::parse(R"({"json":{"type":"object"}})"));
  Question tools = question();
  tools.schema = nullptr;
  EXPECT_EQ(endpoint_request(vllm, tools, 20).at("structured_outputs"),
            *json::parse(R"({"grammar":"root ::= \"x\""})"));
  EXPECT_FALSE(endpoint_request(endpoint, tools, 20).contains("response_format"));
  vllm.form = ConstraintForm::none;
  EXPECT_FALSE(endpoint_request(vllm, question(), 20).contains("structured_outputs"));
}

TEST(EndpointRequest, DrawsWhereItIsToldTo) {
  Question drawn = question();
  drawn.sampling = {.temperature = 0.5, .seed = 3};
  const json::object body = endpoint_request(endpoint, drawn, 20);
  EXPECT_EQ(body.at("temperature"), 0.5);
  EXPECT_EQ(body.at("seed"), 3);
}

TEST(EndpointAnswer, TakesTextUsageAndSigns) {
  const auto answer = parse_endpoint_answer(
      R"({"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"{\"a\":1}"},)"
      R"("logprobs":{"content":[)"
      R"({"token":"{","logprob":-0.5,"top_logprobs":[{"token":"{","logprob":-0.5},{"token":"x","logprob":-2}]},)"
      R"({"token":"}","logprob":-0.1,"top_logprobs":[{"token":"}","logprob":-0.1},{"token":"y","logprob":-4}]}]}}],)"
      R"("usage":{"prompt_tokens":7,"completion_tokens":2}})");
  ASSERT_TRUE(answer) << answer.error().to_text();
  EXPECT_EQ(answer->answer.text, R"({"a":1})");
  EXPECT_DOUBLE_EQ(answer->confidence, std::exp(-0.5));
  EXPECT_EQ(answer->prompt_tokens, 7);
  EXPECT_EQ(answer->completion_tokens, 2);
  ASSERT_TRUE(answer->signs);
  EXPECT_DOUBLE_EQ(answer->signs->margin_min, 1.5);
}

TEST(EndpointAnswer, OneThatIsCutOffIsTakenByNobody) {
  const auto answer =
      parse_endpoint_answer(R"({"choices":[{"finish_reason":"length","message":{"content":"x"},)"
                            R"("logprobs":{"content":[{"token":"x","logprob":-0.1}]}}]})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->confidence, 0);
  EXPECT_FALSE(answer->signs);
}

TEST(EndpointAnswer, RefusesWhatIsNone) {
  for (const char* body :
       {"", "[]", R"({"choices":[]})", R"({"choices":[{"message":{"content":"x"}}]})",
        R"({"choices":[{"message":{"content":"x"},"logprobs":{"content":[1]}}]})"})
    EXPECT_FALSE(parse_endpoint_answer(body)) << body;
}

TEST(EndpointAnswer, SaysWhatIsMissingWithoutLogprobs) {
  const auto answer =
      parse_endpoint_answer(R"({"choices":[{"message":{"content":"x"},"logprobs":null}]})");
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("logprobs"), std::string::npos);
}

}  // namespace
}  // namespace understudy::lm
