// Texts as libllama cuts them into tokens. Private to adapters/lm. Pure.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "adapters/lm/vocabulary.hpp"
#include "base/result.hpp"

struct llama_vocab;

namespace understudy::lm {

// unsupported where the file `gguf`, whose vocabulary it is, holds none: libllama would end the
// process over the first text.
Status check_tokenizer(const llama_vocab& vocabulary, const std::filesystem::path& gguf);

struct TokenizeOptions {
  bool add_marks = false;   // of the text's begin and end, as the model wants them
  bool read_names = false;  // names of control tokens in the text are those tokens
};
std::vector<Token> tokenize(const llama_vocab& vocabulary, std::string_view text,
                            TokenizeOptions options);

}  // namespace understudy::lm
