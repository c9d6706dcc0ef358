// Copying made easy for very small models: values that vary from call to call (ids, e-mails, dates,
// amounts, names) are replaced, in the prompt and in the answer alike, by a pointer that tells
// their shape; after decoding the pointers become the values again. The rare-word technique of
// Luong et al. 2015 (arXiv 1410.8206). A model then copies a value of any length by writing one
// token that it has read, also values that it never saw, and reads a third of the tokens.
//
//   "Refund A-48213 for jo@x.org"        <-> "Refund <|p:A-0000:0|> for <|p:a@a.a:0|>"
//   "<tool>refund {"order":"A-48213"}"   <-> "<tool>refund {"order":"<|p:A-0000:0|>"}"
//
// Which words are values is fitted on the training text (fit) and stored inside the model's GGUF.
// Immutable once made; thread-safe. Values of one shape are numbered in the order of the text:
// measured against random numbers, a model learns the same task in a tenth of the steps.
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
  std::map<std::string, std::string> values;  // what each pointer in it stands for
};

class Literals {
 public:
  static Literals fit(std::span<const TextPair> examples);
  static Result<Literals> parse(std::string_view json_text);
  [[nodiscard]] std::string to_json_text() const;

  // Frequent values are shown beside their pointers, since they may tell more than their shape
  // does. `hidden_share` of them are not, drawn from `seed`, so that a model in training learns to
  // do without.
  struct ReadOptions {
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

  [[nodiscard]] std::vector<std::string> pointers() const;  // every one that a prompt can have
  // These and every other symbol that a text can have; each is to be one token.
  [[nodiscard]] std::vector<std::string> symbols() const;

 private:
  enum class Role { plain, shown_value, value };
  [[nodiscard]] Role role_of(std::string_view word) const;
  // Takes the next free pointer for a new value; empty when there is none.
  using Taken = std::map<std::string, std::size_t, std::less<>>;
  [[nodiscard]] std::string next_pointer(std::string_view value, Taken& taken) const;

  std::set<std::string, std::less<>> plain_words_;   // frequent in prompts, not copied
  std::set<std::string, std::less<>> shown_values_;  // very frequent, and copied into answers
  std::map<std::string, std::size_t, std::less<>> shapes_;  // and how many pointers each has
  bool lower_case_values_ = false;
};

}  // namespace understudy::lm
