#include "adapters/lm/completion_client.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace understudy::lm {
namespace {

TEST(Completion, TakesTokensAndTheLeastProbability) {
  const auto completion = parse_completion(
      R"({"stop_type":"eos","tokens":[7,9,2],"completion_probabilities":[
          {"id":7,"logprob":-0.1},{"id":9,"logprob":-0.7},{"id":2,"logprob":-0.2}]})",
      2);
  ASSERT_TRUE(completion.has_value()) << completion.error().to_text();
  EXPECT_EQ(completion->tokens, (std::vector<Token>{7, 9}));
  EXPECT_DOUBLE_EQ(completion->token_probability_min, std::exp(-0.7));
  EXPECT_TRUE(completion->finished);
}

// llama-server lists no step for a token that ends inside a character.
TEST(Completion, KeepsTheTokensOfACharacterInParts) {
  const auto completion = parse_completion(
      R"({"stop_type":"eos","tokens":[233,207,2],"completion_probabilities":[
          {"id":207,"logprob":-0.5},{"id":2,"logprob":-0.1}]})",
      2);
  ASSERT_TRUE(completion.has_value()) << completion.error().to_text();
  EXPECT_EQ(completion->tokens, (std::vector<Token>{233, 207}));
  EXPECT_DOUBLE_EQ(completion->token_probability_min, std::exp(-0.5));
}

// It leaves the whole list out where nothing whole was written.
TEST(Completion, TakesNothingWrittenForAnAnswerThatIsNotSure) {
  for (const std::string body : {R"({"stop_type":"limit","tokens":[]})",
                                 R"({"stop_type":"eos","tokens":[233,2],"content":"\ufffd"})"}) {
    const auto completion = parse_completion(body, 2);
    ASSERT_TRUE(completion.has_value()) << completion.error().to_text();
    EXPECT_EQ(completion->token_probability_min, 0);
    EXPECT_FALSE(completion->signs.has_value());
  }
}

TEST(Completion, RefusesWhatIsNone) {
  for (const std::string body :
       {"", "[]", R"({"content":"x"})", R"({"tokens":[]})", R"({"stop_type":"eos"})",
        R"({"stop_type":"eos","tokens":["a"]})",
        R"({"stop_type":"eos","tokens":[],"completion_probabilities":7})",
        R"({"stop_type":"eos","tokens":[1],"completion_probabilities":[1]})"}) {
    EXPECT_FALSE(parse_completion(body, 2).has_value()) << body;
  }
}

TEST(LogProbability, IsThatOfTheTokenWrittenOrListedBesideIt) {
  const json::value answer = json::parse(R"({"completion_probabilities":[
      {"id":2,"logprob":-9,"top_logprobs":[{"id":7,"logprob":-0.1},{"id":233,"logprob":-2.5}]}]})")
                                 .value();
  EXPECT_EQ(parse_log_probability(answer, 2), -9);
  EXPECT_EQ(parse_log_probability(answer, 233), -2.5);
  EXPECT_EQ(parse_log_probability(answer, 8), std::nullopt);
  EXPECT_EQ(parse_log_probability(json::parse("{}").value(), 8), std::nullopt);
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
