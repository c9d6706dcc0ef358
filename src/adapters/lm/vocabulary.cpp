#include "adapters/lm/vocabulary.hpp"

#include <llama.h>

#include "adapters/lm/llama_backend.hpp"
#include "adapters/lm/tokenize.hpp"

namespace understudy::lm {

struct Vocabulary::State {
  llama_model* model = nullptr;
  const llama_vocab* vocab = nullptr;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (model != nullptr) llama_model_free(model);
  }
};

Vocabulary::Vocabulary(std::unique_ptr<State> state) : state_(std::move(state)) {}
Vocabulary::~Vocabulary() = default;
Vocabulary::Vocabulary(Vocabulary&&) noexcept = default;
Vocabulary& Vocabulary::operator=(Vocabulary&&) noexcept = default;

Result<Vocabulary> Vocabulary::load(const std::filesystem::path& gguf) {
  auto state = std::make_unique<State>();
  llama_model_params parameters = llama_model_default_params();
  parameters.vocab_only = true;
  state->model = TRY(load_model(gguf, parameters));
  state->vocab = llama_model_get_vocab(state->model);
  TRY(check_tokenizer(*state->vocab, gguf));
  return Vocabulary(std::move(state));
}

std::vector<Token> Vocabulary::encode(std::string_view text) const {
  return tokenize(*state_->vocab, text, {});
}

std::vector<Token> Vocabulary::encode_template(std::string_view text) const {
  return tokenize(*state_->vocab, text, {.read_names = true});
}

bool Vocabulary::begins_texts() const { return llama_vocab_get_add_bos(state_->vocab); }
bool Vocabulary::ends_text(Token token) const { return llama_vocab_is_eog(state_->vocab, token); }

Result<std::string> Vocabulary::render(const std::vector<Turn>& turns, Opening opening) const {
  const char* text = llama_model_chat_template(state_->model, nullptr);
  if (text == nullptr) {
    return fail(ErrorCode::unsupported, "the model file holds no chat template",
                "Give the data as {\"prompt\",\"answer\"} lines.");
  }
  std::vector<llama_chat_message> messages;
  std::size_t bytes = 256;
  for (const Turn& turn : turns) {
    messages.push_back({.role = turn.role.c_str(), .content = turn.content.c_str()});
    bytes += turn.role.size() + turn.content.size() + 64;
  }
  std::string rendered(bytes, '\0');
  const auto render_into = [&] {
    return llama_chat_apply_template(text, messages.data(), messages.size(),
                                     opening == Opening::answer, rendered.data(),
                                     static_cast<std::int32_t>(rendered.size()));
  };
  auto length = render_into();
  if (length > static_cast<std::int32_t>(rendered.size())) {
    rendered.resize(static_cast<std::size_t>(length));
    length = render_into();
  }
  if (length < 0) {
    return fail(ErrorCode::unsupported, "libllama does not know the model's chat template",
                "Render the template yourself and give {\"prompt\",\"answer\"} lines.");
  }
  rendered.resize(static_cast<std::size_t>(length));
  return rendered;
}

std::string Vocabulary::decode(const std::vector<Token>& tokens) const {
  std::string text;
  std::string piece(256, '\0');  // few are longer
  for (const Token token : tokens) {
    const auto take = [&] {
      return llama_token_to_piece(state_->vocab, token, piece.data(),
                                  static_cast<std::int32_t>(piece.size()), 0, /*special=*/false);
    };
    auto bytes = take();
    if (bytes < 0) {  // as many as it has
      piece.resize(static_cast<std::size_t>(-bytes));
      bytes = take();
    }
    if (bytes > 0) text.append(piece, 0, static_cast<std::size_t>(bytes));
  }
  return text;
}

std::size_t Vocabulary::size() const {
  return static_cast<std::size_t>(llama_vocab_n_tokens(state_->vocab));
}
Token Vocabulary::begin() const { return llama_vocab_bos(state_->vocab); }
Token Vocabulary::end() const { return llama_vocab_eos(state_->vocab); }

std::optional<std::string> Vocabulary::metadata(const std::string& key) const {
  const auto bytes = llama_model_meta_val_str(state_->model, key.c_str(), nullptr, 0);
  if (bytes < 0) return std::nullopt;
  std::string value(static_cast<std::size_t>(bytes) + 1, '\0');
  llama_model_meta_val_str(state_->model, key.c_str(), value.data(), value.size());
  value.resize(static_cast<std::size_t>(bytes));
  return value;
}

}  // namespace understudy::lm
