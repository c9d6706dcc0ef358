// Brings what a teacher's server said of its tokens (token_guesses.hpp) into a student's
// vocabulary. Where both cut the answer at the same places, the student's token learns the
// teacher's likeliest tokens; elsewhere only the answer counts. Immutable; thread-safe.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/lm/vocabulary.hpp"
#include "steps/s5_tune/tuning_text.hpp"

namespace understudy::s5 {

class SoftTargetFinder {
 public:
  // Looks at every token once. `vocabulary` must outlive this.
  explicit SoftTargetFinder(const lm::Vocabulary& vocabulary);

  // Fills text.soft; gives how many tokens got something.
  std::size_t find(const TuningExample& example, TokenText& text) const;

 private:
  [[nodiscard]] SoftToken soft_token(const GuessedToken& guessed, bool behind_space) const;

  std::vector<std::string> pieces_;  // of each token, as it stands within a text
  std::unordered_map<std::string, lm::Token> tokens_;
};

}  // namespace understudy::s5
