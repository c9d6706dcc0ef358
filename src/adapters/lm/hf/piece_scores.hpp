// The scores by which libllama merges the pieces of a sentencepiece model, from the ranks of merges
// in a tokenizer.json. Private to this folder. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace understudy::lm {

struct TokenizerFile;

struct Merge {
  std::string left;
  std::string right;
};

// One for each piece. libllama merges any two pieces whose sum is one, best score first.
// unsupported where the merges say otherwise: a pair that is none of them, or one whose rank is
// far from those of other pairs with the same sum.
Result<std::vector<float>> piece_scores(const TokenizerFile& file,
                                        const std::vector<Merge>& merges);

}  // namespace understudy::lm
