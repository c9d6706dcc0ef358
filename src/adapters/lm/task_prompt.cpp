#include "adapters/lm/task_prompt.hpp"

#include "adapters/lm/symbols.hpp"

namespace understudy::lm {

std::string_view to_string(PromptForm form) { return form == PromptForm::chat ? "chat" : "raw"; }

Result<PromptForm> parse_prompt_form(std::string_view text) {
  for (const auto form : {PromptForm::raw, PromptForm::chat}) {
    if (text == to_string(form)) return form;
  }
  return fail(ErrorCode::corrupt, "no such form of a prompt: " + std::string(text));
}

PromptForm prompt_form_of(const Vocabulary& vocabulary) {
  const auto rendered = vocabulary.render(task_turns("x"), Vocabulary::Opening::answer);
  return rendered ? PromptForm::chat : PromptForm::raw;
}

std::string task_text(std::string_view text) {
  std::string lines(text);
  for (std::size_t at = lines.find(symbols::slot); at != std::string::npos;
       at = lines.find(symbols::slot, at + 1)) {
    lines.replace(at, symbols::slot.size(), "\n");
  }
  return lines;
}

std::vector<Vocabulary::Turn> task_turns(std::string_view text) {
  return {{.role = "user", .content = task_text(text)}};
}

std::string raw_prompt(std::string_view text) { return task_text(text) + "\n"; }

bool holds_control_tokens(const Vocabulary& vocabulary, std::string_view text) {
  return vocabulary.encode(text) != vocabulary.encode_template(text);
}

Result<std::vector<Token>> task_prompt_tokens(const Vocabulary& vocabulary, PromptForm form,
                                              std::string_view text) {
  std::vector<Token> written;
  if (form == PromptForm::raw) {
    written = vocabulary.encode(raw_prompt(text));
  } else {
    if (holds_control_tokens(vocabulary, task_text(text))) {
      return fail(ErrorCode::unsupported, "the input holds a control token of the model");
    }
    written = vocabulary.encode_template(
        TRY(vocabulary.render(task_turns(text), Vocabulary::Opening::answer)));
  }
  std::vector<Token> tokens;
  if (vocabulary.begins_texts() || written.empty()) tokens.push_back(vocabulary.begin());
  tokens.insert(tokens.end(), written.begin(), written.end());
  return tokens;
}

}  // namespace understudy::lm
