#include "steps/s5_tune/soft_targets.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace understudy::s5 {

namespace {

// Of the teacher's probability, in tokens that the student has: with less, the rest says little.
constexpr double known_probability_min = 0.5;

}  // namespace

SoftTargetFinder::SoftTargetFinder(const lm::Vocabulary& vocabulary) {
  // Behind another token, as some vocabularies drop the space that begins a text.
  const auto before = vocabulary.encode("a");
  const std::string head = vocabulary.decode(before);
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    std::vector<lm::Token> both = before;
    both.push_back(static_cast<lm::Token>(i));
    const std::string text = vocabulary.decode(both);
    pieces_.push_back(text.starts_with(head) ? text.substr(head.size()) : std::string());
    const std::string& piece = pieces_.back();
    if (piece.empty()) continue;
    const auto [known, fresh] = tokens_.emplace(piece, static_cast<lm::Token>(i));
    if (fresh) continue;
    // A byte and a piece, as sentencepiece's vocabularies have them: the one that texts become.
    const auto whole = vocabulary.encode(head + piece);
    if (whole.size() != before.size() + 1 || whole.back() == static_cast<lm::Token>(i)) {
      known->second = static_cast<lm::Token>(i);
    }
  }
}

SoftToken SoftTargetFinder::soft_token(const GuessedToken& guessed, bool behind_space) const {
  std::map<lm::Token, double> known;
  double sum = 0;
  for (const TokenGuess& guess : guessed.likeliest) {
    const auto found = tokens_.find(behind_space ? " " + guess.text : guess.text);
    if (found == tokens_.end()) continue;
    const double probability = std::exp(guess.log_probability);
    if (known.emplace(found->second, probability).second) sum += probability;
  }
  if (sum < known_probability_min) return {};
  SoftToken soft;
  for (const auto& [id, probability] : known) {
    soft.ids.push_back(id);
    soft.probabilities.push_back(static_cast<float>(probability / sum));
  }
  return soft;
}

std::size_t SoftTargetFinder::find(const TuningExample& example, TokenText& text) const {
  if (example.guesses.empty()) return 0;
  std::map<std::size_t, const GuessedToken*> by_place;
  std::string said;
  for (const GuessedToken& token : example.guesses) {
    by_place.emplace(said.size(), &token);
    said += token.text;
  }
  if (said != example.answer) return 0;
  text.soft.assign(text.tokens.size() - text.prompt_tokens, {});
  std::size_t place = 0;
  std::size_t found = 0;
  for (std::size_t i = text.prompt_tokens; i < text.tokens.size() && place < said.size(); ++i) {
    std::string piece = pieces_[static_cast<std::size_t>(text.tokens[i])];
    const bool added_space = place == 0 && piece.starts_with(' ') && !said.starts_with(' ');
    if (added_space) piece.erase(0, 1);
    if (said.compare(place, piece.size(), piece) != 0) break;  // a template writes it otherwise
    const auto guessed = by_place.find(place);
    if (!piece.empty() && guessed != by_place.end() && guessed->second->text == piece) {
      SoftToken& soft = text.soft[i - text.prompt_tokens];
      soft = soft_token(*guessed->second, added_space);
      found += soft.ids.empty() ? 0U : 1U;
    }
    place += piece.size();
  }
  if (found == 0) text.soft.clear();
  return found;
}

}  // namespace understudy::s5
