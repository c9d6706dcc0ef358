// A text as libllama cuts it into tokens. Private to adapters/lm. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "adapters/lm/vocabulary.hpp"

struct llama_vocab;

namespace understudy::lm {

struct TokenizeOptions {
  bool add_marks = false;   // of the text's begin and end, as the model wants them
  bool read_names = false;  // names of control tokens in the text are those tokens
};
std::vector<Token> tokenize(const llama_vocab& vocabulary, std::string_view text,
                            TokenizeOptions options);

}  // namespace understudy::lm
