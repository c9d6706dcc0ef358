// How a task's slots are put to a model that somebody else trained: as a chat of one turn where
// libllama knows the model's template, else as plain text. Training and serving both ask here, so
// that they cannot differ. Pure but for the vocabulary.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/vocabulary.hpp"
#include "base/result.hpp"

namespace understudy::lm {

enum class PromptForm { raw, chat };

std::string_view to_string(PromptForm form);
Result<PromptForm> parse_prompt_form(std::string_view text);
PromptForm prompt_form_of(const Vocabulary& vocabulary);

// What stands for the slots, one a line; `text` as slots_text() makes it.
std::string task_text(std::string_view text);
// The turns of a chat; none for a raw prompt, which is raw_prompt(text).
std::vector<Vocabulary::Turn> task_turns(std::string_view text);
std::string raw_prompt(std::string_view text);

// All tokens before the answer. unsupported: the text holds the name of a control token, with which
// it could write turns of its own.
Result<std::vector<Token>> task_prompt_tokens(const Vocabulary& vocabulary, PromptForm form,
                                              std::string_view text);
// The text is safe to be put into a chat.
bool holds_control_tokens(const Vocabulary& vocabulary, std::string_view text);

}  // namespace understudy::lm
