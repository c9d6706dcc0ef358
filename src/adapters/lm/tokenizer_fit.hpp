// Fits a tokenizer to a task's text: sentencepiece BPE with single digits, byte fallback, no
// normalisation and no dummy prefix, so that every text survives the round trip. The result is the
// vocabulary that gguf_writer stores; both training and serving then tokenise by libllama
// (vocabulary.hpp). One thread; sees plaintext, keeps none.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace understudy::lm {

// As GGUF numbers them (tokenizer.ggml.token_type).
enum class TokenType : std::int32_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

struct TokenTable {
  std::vector<std::string> pieces;
  std::vector<float> scores;
  std::vector<TokenType> types;
  std::int32_t unknown_id = 0;
  std::int32_t begin_id = 1;
  std::int32_t end_id = 2;
};

struct TokenizerOptions {
  std::size_t pieces_max = 1024;     // learned pieces, bytes included; symbols come on top
  std::vector<std::string> symbols;  // always one token each
};

// invalid_input when there is no text to learn from.
Result<TokenTable> fit_tokenizer(std::span<const std::string> texts,
                                 const TokenizerOptions& options);

}  // namespace understudy::lm
