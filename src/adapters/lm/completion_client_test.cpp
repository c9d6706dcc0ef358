#include "adapters/lm/completion_client.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace understudy::lm {
namespace {

TEST(Completion, TakesTokensAndTheLeastProbability) {
  const auto completion = parse_completion(
      R"({"stop_type":"eos","completion_probabilities":[
          {"id":7,"logprob":-0.1},{"id":9,"logprob":-0.7},{"id":2,"logprob":-0.2}]})",
      2);
  ASSERT_TRUE(completion.has_value()) << completion.error().to_text();
  EXPECT_EQ(completion->tokens, (std::vector<Token>{7, 9}));
  EXPECT_DOUBLE_EQ(completion->token_probability_min, std::exp(-0.7));
  EXPECT_TRUE(completion->finished);
}

TEST(Completion, RefusesWhatIsNone) {
  for (const std::string body :
       {"", "[]", R"({"content":"x"})", R"({"stop_type":"eos","completion_probabilities":[1]})"}) {
    EXPECT_FALSE(parse_completion(body, 2).has_value()) << body;
  }
}

TEST(CompletionClient, SaysThatTheServerIsAway) {
  const CompletionClient client("/tmp/no-such-understudy.sock");
  EXPECT_FALSE(client.healthy());
  const auto completion = client.complete({.prompt = {1}, .tokens_max = 1});
  ASSERT_FALSE(completion.has_value());
  EXPECT_EQ(completion.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace understudy::lm
