// What the readers of a tokenizer.json have in common. Private to this folder. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace understudy::lm {

inline constexpr std::string_view word_mark = "▁";  // begins a word in sentencepiece's pieces

// Of a tokenizer that libllama would not follow.
inline std::unexpected<Error> refuse_tokenizer(std::string why) {
  return fail(ErrorCode::unsupported, std::move(why),
              "A GGUF file of the model, made with its own conversion, may serve as the base.");
}

}  // namespace understudy::lm
