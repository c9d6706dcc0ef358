// The token texts of a LoRA run, split into training and validation part, and packs made of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "steps/s5_tune/torch/lora_trainer.hpp"
#include "steps/s5_tune/torch/pack.hpp"

namespace understudy::s5 {

struct LoraData {
  std::vector<TokenText> train;
  std::vector<TokenText> validation;
  std::size_t left_out = 0;     // longer than length_max
  std::size_t soft_tokens = 0;  // answer tokens with a teacher's recorded opinion
  std::string fingerprint;      // of texts and split
};

struct LoraDataOptions {
  std::size_t length_max = 2048;
  std::uint64_t seed = 1;
};

// invalid_input where too little is left, names the line that cannot be tokenised.
Result<LoraData> prepare_lora_data(std::span<const TuningExample> examples,
                                   const lm::Vocabulary& vocabulary,
                                   const LoraDataOptions& options);

// What a text takes of a pack: its tokens but the last, which is only predicted, and filler, less
// than a sixteenth or one: behind the text, which does not see it, and not learned. See fill_up.
std::size_t tokens_in_pack(const TokenText& text);

// Where texts have soft tokens, the pack has soft targets at temperature 1, of share 0; the rows
// without are certain of their target.
// The rows' weights add up to the number of answer tokens when every example weighs 1.
Pack make_pack(std::span<const TokenText> texts, std::span<const std::size_t> chosen);

}  // namespace understudy::s5
