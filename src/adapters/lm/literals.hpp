// Copying made easy for very small models: values that vary from call to call (ids, e-mails, dates,
// amounts, names) are replaced in the prompt by their shape and a numbered pointer, and in the
// answer by the pointer alone; after decoding the pointers become the values again. The rare-word
// technique of Luong et al. 2015 (arXiv 1410.8206). A model then copies a value of any length by
// writing one token, correctly for values that it never saw, and reads a third of the tokens.
//
//   "Refund A-48213 for jo@x.org" -> "Refund <|s:A-0|><|p0|> for <|s:a@a.a|><|p1|>"
//   "<tool>refund {"order":"A-48213"}" <-> "<tool>refund {"order":"<|p0|>"}"
//
// Which words are values is fitted on the training text (fit) and stored inside the model's GGUF.
// Immutable once made; thread-safe. The numbers mean nothing: training draws them at random.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::lm {

struct TextPair {
  std::string prompt;
  std::string answer;
};

struct ReadPrompt {
  std::string text;                           // what the model reads
  std::map<std::size_t, std::string> values;  // by pointer number
};

class Literals {
 public:
  static Literals fit(std::span<const TextPair> examples);
  static Result<Literals> parse(std::string_view json_text);
  [[nodiscard]] std::string to_json_text() const;

  // `numbers` names the pointers, first value first; without it they count from 0. `hidden_share`
  // of the known words are shown by their shape only, drawn from `seed`, so that a model in
  // training learns to copy words that it does not know.
  struct ReadOptions {
    std::span<const std::size_t> numbers = {};
    double hidden_share = 0;
    std::uint64_t seed = 0;
  };
  [[nodiscard]] ReadPrompt read(std::string_view prompt, const ReadOptions& options) const;
  [[nodiscard]] ReadPrompt read(std::string_view prompt) const { return read(prompt, {}); }

  // The answer with pointers in place of the prompt's values, and back. restore() fails on a
  // pointer that the prompt has not.
  [[nodiscard]] static std::string point(std::string_view answer, const ReadPrompt& prompt);
  [[nodiscard]] static Result<std::string> restore(std::string_view written,
                                                   const ReadPrompt& prompt);

  [[nodiscard]] std::size_t pointer_count() const { return pointer_count_; }
  [[nodiscard]] std::vector<std::string> symbols() const;  // every symbol of this vocabulary

 private:
  enum class Role { plain, known_value, value };
  [[nodiscard]] Role role_of(std::string_view word) const;
  [[nodiscard]] std::string shape_symbol(std::string_view word) const;

  std::set<std::string, std::less<>> plain_words_;   // frequent in prompts, not copied
  std::set<std::string, std::less<>> known_values_;  // frequent, and copied into answers
  std::set<std::string, std::less<>> shapes_;
  std::size_t pointer_count_ = 0;
  bool lower_case_values_ = false;
};

}  // namespace understudy::lm
