// The training data that understudy-train reads: one {"prompt","answer"} a line, from a file or a
// pipe, so that `understudy tune` need not write plaintext to the disk. Pure.
#pragma once

#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/literals.hpp"
#include "base/result.hpp"
#include "steps/s5_tune/token_guesses.hpp"

namespace understudy::s5 {

// An optional "weight" (1..1000) says how often the call came; more calls, more weight. Optional
// "logprobs", as OpenAI's `choices[].logprobs.content` has them, are learned beside the answer.
struct TrainingExample {
  std::string prompt;  // slots_text() of the call
  std::string answer;  // to_target() of the teacher's answer
  double weight = 1;
  TokenGuesses guesses = {};  // of the answer's tokens; none: it was recorded without
};

Result<TrainingExample> parse_training_line(std::string_view line);
// `name` is what errors call the source; they give the line's number. Empty lines are skipped.
Result<std::vector<TrainingExample>> read_training_text(std::istream& input, std::string_view name);
std::string to_training_line(const TrainingExample& example);  // with its newline

}  // namespace understudy::s5
