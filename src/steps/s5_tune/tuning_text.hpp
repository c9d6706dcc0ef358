// What an adapter learns from: lines of {"prompt","answer"}, taken as the model's raw text, or of
// {"messages":[...]}, written by the model's chat template, whose last message is the answer.
// Tokenised as llama-server does it. Pure but for the vocabulary.
#pragma once

#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/vocabulary.hpp"
#include "base/result.hpp"
#include "steps/s5_tune/token_guesses.hpp"

namespace understudy::s5 {

struct TuningExample {
  std::vector<lm::Vocabulary::Turn> turns = {};  // without the answer; none: `prompt` is raw text
  std::string prompt = {};
  std::string answer = {};
  double weight = 1;
  std::string where = {};     // "file:line", for errors
  TokenGuesses guesses = {};  // of the answer's tokens; none: it was recorded without
};

Result<TuningExample> parse_tuning_line(std::string_view line);
// `name` is what errors call the source; they give the line's number. Empty lines are skipped.
Result<std::vector<TuningExample>> read_tuning_text(std::istream& input, std::string_view name);

// What a teacher thought of one token: candidates in the student's vocabulary, of which the
// probabilities add up to 1.
struct SoftToken {
  std::vector<lm::Token> ids;
  std::vector<float> probabilities;
};

struct TokenText {
  std::vector<lm::Token> tokens;
  std::size_t prompt_tokens = 0;  // the first of them; only what follows is learned
  float weight = 1;
  std::size_t example = 0;           // which one it was made of, where somebody counts
  std::vector<SoftToken> soft = {};  // of the tokens behind the prompt; empty ones are not known
};

// Prompt and answer with what begins and ends a text. Errors name the example's line.
Result<TokenText> tokenize(const lm::Vocabulary& vocabulary, const TuningExample& example);

}  // namespace understudy::s5
