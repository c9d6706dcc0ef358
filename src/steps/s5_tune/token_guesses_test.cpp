#include "steps/s5_tune/token_guesses.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "steps/s5_tune/training_text.hpp"

namespace understudy::s5 {
namespace {

json::value response_with(std::string_view content, std::string_view logprobs) {
  return json::parse(R"({"choices":[{"message":{"content":")" + std::string(content) +
                     R"("},"logprobs":{"content":)" + std::string(logprobs) + "}}]}")
      .value();
}

constexpr std::string_view recorded =
    R"([{"token":"Gr","logprob":-0.1,"bytes":null,"top_logprobs":[{"token":"Gr","logprob":-0.1},{"token":"G","logprob":-2.5}]},)"
    R"({"token":"\u00fc","bytes":[195,188],"logprob":0,"top_logprobs":[]}])";

TEST(TokenGuesses, AreReadFromARecordedResponse) {
  const TokenGuesses guesses = guesses_of_response(response_with("Grü", recorded), "Grü");
  ASSERT_EQ(guesses.size(), 2U);
  EXPECT_EQ(guesses[0].text, "Gr");
  ASSERT_EQ(guesses[0].likeliest.size(), 2U);
  EXPECT_EQ(guesses[0].likeliest[1].text, "G");
  EXPECT_EQ(guesses[0].likeliest[1].log_probability, -2.5);
  ASSERT_EQ(guesses[1].likeliest.size(), 1U) << "what was answered is among them";
  EXPECT_EQ(guesses[1].text, "ü");
}

TEST(TokenGuesses, OfAnotherTextAreLeftOut) {
  EXPECT_TRUE(guesses_of_response(response_with("Gra", recorded), "Gra").empty());
  EXPECT_TRUE(guesses_of_response(json::parse(R"({"choices":[]})").value(), "").empty());
  EXPECT_TRUE(guesses_of_response(json::parse("{}").value(), "").empty());
}

TEST(TokenGuesses, TravelInTrainingLines) {
  const TrainingExample example{
      .prompt = "p",
      .answer = "Grü",
      .guesses = guesses_of_response(response_with("Grü", recorded), "Grü")};
  const auto again = parse_training_line(to_training_line(example));
  ASSERT_TRUE(again.has_value()) << again.error().to_text();
  ASSERT_EQ(again->guesses.size(), 2U);
  EXPECT_EQ(again->guesses[1].text, "ü");
  EXPECT_EQ(again->guesses[0].likeliest[1].log_probability, -2.5);
}

TEST(TokenGuesses, RefusesWhatIsNone) {
  for (const char* bad :
       {R"({})", R"([{}])", R"([{"token":"a"}])", R"([{"token":"a","logprob":1}])",
        R"([{"token":"a","logprob":-1,"bytes":[256]}])",
        R"([{"token":"a","logprob":-1,"top_logprobs":[{"token":"b"}]}])"}) {
    EXPECT_FALSE(parse_guesses(json::parse(bad).value()).has_value()) << bad;
  }
}

}  // namespace
}  // namespace understudy::s5
