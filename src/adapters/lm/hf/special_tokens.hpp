// What a model directory says beside its tokenizer.json: which tokens begin and end texts, and the
// chat template (tokenizer_config.json, generation_config.json, chat_template.jinja). Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/lm/hf/tokenizer_file.hpp"
#include "base/result.hpp"

namespace understudy::lm {

struct SpecialTokens {
  std::optional<std::int32_t> begin = {};
  std::optional<std::int32_t> end = {};
  std::optional<std::int32_t> end_of_turn = {};  // where it is another one
  std::optional<std::int32_t> padding = {};
  bool add_begin = false;
  bool add_end = false;
  std::string chat_template = {};  // empty: none
};

// The texts of the files; empty: there is no such file.
struct SpecialTokenTexts {
  std::string tokenizer_config = {};
  std::string generation_config = {};
  std::string model_config = {};
  std::string chat_template = {};
};

// corrupt: one of them is no JSON object.
Result<SpecialTokens> read_special_tokens(const SpecialTokenTexts& texts,
                                          const TokenizerFile& tokenizer);

}  // namespace understudy::lm
