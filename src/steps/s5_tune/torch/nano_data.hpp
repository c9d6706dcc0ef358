// Training examples as token sequences: <s> prompt <|answer|> answer </s>, values behind pointers
// (adapters/lm/literals.hpp). The pointers' numbers are drawn anew each time an example is used,
// and in some variants known words are hidden, so that the model learns to copy, not to remember.
// One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <vector>

#include "adapters/lm/gguf_writer.hpp"
#include "adapters/lm/literals.hpp"
#include "adapters/lm/vocabulary.hpp"
#include "base/result.hpp"
#include "steps/s5_tune/torch/nano_network.hpp"
#include "steps/s5_tune/training_text.hpp"

namespace understudy::s5 {

struct NanoDataOptions {
  std::size_t pieces_max = 1024;
  std::size_t context_max = 2048;  // longer examples are left out
  double validation_share = 0.1;
  std::size_t validation_max = 256;  // examples; more would cost time, not certainty
  std::uint64_t seed = 1;
};

// One example: every variant reads differently and says the same.
struct Sequence {
  struct Variant {
    std::vector<lm::Token> tokens;
    std::size_t prompt_tokens = 0;  // with <s> and <|answer|>
  };
  std::vector<Variant> variants;  // the first is what serving would read
  double weight = 1;
};

struct NanoData {
  lm::Literals literals;
  lm::TokenTable tokens;
  std::vector<Sequence> train;
  std::vector<Sequence> validation;
  std::size_t left_out = 0;  // examples that are too long or hold symbols
  std::size_t context = 0;   // tokens; leaves room for longer inputs than were seen
  std::size_t answer_tokens_max = 0;
};

// Fits literals and tokenizer, then encodes. `scratch` is where the vocabulary passes through a
// file on its way to libllama. invalid_input where too little is left to learn from.
Result<NanoData> prepare_nano_data(std::span<const TrainingExample> examples,
                                   const std::filesystem::path& scratch,
                                   const NanoDataOptions& options);

// Batches of similar lengths, within both limits (one text at least).
struct BatchOptions {
  std::int64_t tokens_max = 1024;
  std::int64_t texts_max = 32;
  bool shuffled = true;  // order and variants drawn from `random`
};
std::vector<Batch> make_batches(std::span<const Sequence> sequences, const BatchOptions& options,
                                std::mt19937_64& random);

}  // namespace understudy::s5
