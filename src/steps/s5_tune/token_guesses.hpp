// What a teacher's server said of each token of its answer, where it was asked for logprobs: the
// likeliest tokens at that place, as texts, since a student may cut texts otherwise. Taken from and
// written as OpenAI's `choices[].logprobs.content`. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::s5 {

struct TokenGuess {
  std::string text;  // bytes: a token may be a part of a character
  double log_probability = 0;
};
struct GuessedToken {
  std::string text;                   // what was answered
  std::vector<TokenGuess> likeliest;  // itself included
};
using TokenGuesses = std::vector<GuessedToken>;

// Of an array of {"token", "bytes", "logprob", "top_logprobs": [{"token", "bytes", "logprob"}]};
// "bytes" and "top_logprobs" may be absent or null. invalid_input says what is wrong.
Result<TokenGuesses> parse_guesses(const json::value& content);
json::array to_json(const TokenGuesses& guesses);
// Of a recorded response; none where it has none for its text, or for another text.
TokenGuesses guesses_of_response(const json::value& response, std::string_view answer);

}  // namespace understudy::s5
