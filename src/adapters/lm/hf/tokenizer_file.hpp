// tokenizer.json of a Hugging Face model directory as the vocabulary that libllama reads from a
// GGUF file: byte-level BPE with its merges, or the pieces of a sentencepiece model, whose merges
// become scores. Refuses what libllama would cut into other tokens. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/tokenizer_fit.hpp"
#include "base/result.hpp"

namespace understudy::lm {

struct TokenizerFile {
  std::string model;                                     // tokenizer.ggml.model: "gpt2" or "llama"
  std::string pre;                                       // tokenizer.ggml.pre
  std::vector<std::string> pieces;                       // by id; empty: no token has it
  std::vector<TokenType> types;                          // likewise
  std::vector<float> scores;                             // of "llama" only
  std::vector<std::string> merges;                       // of "gpt2" only: "left right"
  std::map<std::string, std::int32_t, std::less<>> ids;  // as the file spells them
  std::optional<std::int32_t> unknown;
  // What the post-processor puts before and behind every text.
  std::optional<std::int32_t> begin;
  std::optional<std::int32_t> end;
  bool has_template = false;  // the post-processor says what is put there, if only nothing
  bool space_prefix = false;
  bool strips_behind = false;  // whitespace behind its added tokens vanishes
};

// corrupt: the parts of the file contradict each other; unsupported: another kind of tokenizer, or
// steps that libllama does not take. `name` is for errors.
Result<TokenizerFile> parse_tokenizer_file(std::string_view text, const std::string& name);

}  // namespace understudy::lm
