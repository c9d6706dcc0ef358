#include "adapters/lm/embedding_model.hpp"

#include <llama.h>

#include <algorithm>
#include <string>
#include <thread>

#include "adapters/lm/llama_backend.hpp"
#include "adapters/lm/tokenize.hpp"
#include "adapters/lm/unit_vector.hpp"

namespace understudy::lm {

namespace {

constexpr std::uint32_t texts_at_once = 16;

using Model = std::unique_ptr<llama_model, decltype(&llama_model_free)>;
using Context = std::unique_ptr<llama_context, decltype(&llama_free)>;

// What libllama computes at once: the tokens of several texts, each a sequence of its own.
class Batch {
 public:
  explicit Batch(std::size_t tokens)
      : room_(tokens), batch_(llama_batch_init(static_cast<std::int32_t>(tokens), 0, 1)) {}
  ~Batch() { llama_batch_free(batch_); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  [[nodiscard]] bool has_room(std::size_t tokens) const {
    return texts_ < texts_at_once && used() + tokens <= room_;
  }
  void add(std::span<const Token> text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto at = static_cast<std::size_t>(batch_.n_tokens++);
      batch_.token[at] = text[i];
      batch_.pos[at] = static_cast<llama_pos>(i);
      batch_.n_seq_id[at] = 1;
      batch_.seq_id[at][0] = static_cast<llama_seq_id>(texts_);
      batch_.logits[at] = 1;
    }
    ++texts_;
  }
  void clear() {
    batch_.n_tokens = 0;
    texts_ = 0;
  }
  [[nodiscard]] std::uint32_t texts() const { return texts_; }
  [[nodiscard]] const llama_batch& tokens() const { return batch_; }

 private:
  [[nodiscard]] std::size_t used() const { return static_cast<std::size_t>(batch_.n_tokens); }

  std::size_t room_;
  std::uint32_t texts_ = 0;
  llama_batch batch_;
};

Context context_of(llama_model& model, std::uint32_t tokens, enum llama_pooling_type pooling) {
  llama_context_params parameters = llama_context_default_params();
  parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = tokens;
  parameters.n_seq_max = texts_at_once;
  parameters.kv_unified = true;  // one long text may take all of it
  parameters.embeddings = true;
  parameters.pooling_type = pooling;
  const auto threads = static_cast<std::int32_t>(std::max(std::thread::hardware_concurrency(), 1U));
  parameters.n_threads = parameters.n_threads_batch = threads;
  return {llama_init_from_model(&model, parameters), &llama_free};
}

}  // namespace

struct EmbeddingModel::State {
  std::string name;
  Model model{nullptr, &llama_model_free};
  Context context{nullptr, &llama_free};
  std::size_t tokens_max = 0;

  [[nodiscard]] std::vector<Token> tokens_of(std::string_view text) const;
  [[nodiscard]] Status compute(Batch& batch, std::vector<std::vector<float>>& vectors) const;
};

// With the marks that the model puts around a text, also around one that had to be cut.
std::vector<Token> EmbeddingModel::State::tokens_of(std::string_view text) const {
  constexpr std::size_t bytes_per_token = 64;  // no vocabulary has many longer ones
  text = text.substr(0, tokens_max * bytes_per_token);
  const llama_vocab* vocabulary = llama_model_get_vocab(model.get());
  std::vector<Token> tokens = tokenize(*vocabulary, text, {.add_marks = true});
  if (tokens.empty()) tokens.push_back(std::max(llama_vocab_bos(vocabulary), Token{0}));
  if (tokens.size() > tokens_max) {
    const Token last = tokens.back();
    tokens.resize(tokens_max);
    if (llama_vocab_get_add_eos(vocabulary) || llama_vocab_get_add_sep(vocabulary))
      tokens.back() = last;
  }
  return tokens;
}

Status EmbeddingModel::State::compute(Batch& batch,
                                      std::vector<std::vector<float>>& vectors) const {
  if (llama_memory_t memory = llama_get_memory(context.get()); memory != nullptr)
    llama_memory_clear(memory, /*data=*/true);
  if (llama_decode(context.get(), batch.tokens()) != 0)
    return fail(ErrorCode::internal, "libllama cannot read texts with " + name);
  const auto width = static_cast<std::size_t>(llama_model_n_embd_out(model.get()));
  for (std::uint32_t text = 0; text < batch.texts(); ++text) {
    const float* row = llama_get_embeddings_seq(context.get(), static_cast<llama_seq_id>(text));
    if (row == nullptr) return fail(ErrorCode::unsupported, name + " gives no vectors of texts");
    std::vector<float> vector(row, row + width);
    if (!to_unit_length(vector))
      return fail(ErrorCode::corrupt, name + " gives a vector without a length");
    vectors.push_back(std::move(vector));
  }
  batch.clear();
  return {};
}

EmbeddingModel::EmbeddingModel(std::unique_ptr<State> state) : state_(std::move(state)) {}
EmbeddingModel::~EmbeddingModel() = default;
EmbeddingModel::EmbeddingModel(EmbeddingModel&&) noexcept = default;
EmbeddingModel& EmbeddingModel::operator=(EmbeddingModel&&) noexcept = default;

Result<EmbeddingModel> EmbeddingModel::open(const std::filesystem::path& gguf) {
  auto state = std::make_unique<State>();
  state->name = gguf.string();
  state->model.reset(TRY(load_model(gguf, llama_model_default_params())));
  TRY(check_tokenizer(*llama_model_get_vocab(state->model.get()), gguf));
  const auto trained =
      static_cast<std::size_t>(std::max(llama_model_n_ctx_train(state->model.get()), 1));
  state->tokens_max = std::min(trained, embedding_tokens_max);
  const auto tokens = static_cast<std::uint32_t>(state->tokens_max);
  state->context = context_of(*state->model, tokens, LLAMA_POOLING_TYPE_UNSPECIFIED);
  if (state->context && llama_pooling_type(state->context.get()) == LLAMA_POOLING_TYPE_NONE)
    state->context = context_of(*state->model, tokens, LLAMA_POOLING_TYPE_MEAN);
  if (!state->context)
    return fail(ErrorCode::internal, "libllama makes no context for " + gguf.string());
  if (llama_pooling_type(state->context.get()) == LLAMA_POOLING_TYPE_RANK) {
    return fail(ErrorCode::unsupported, gguf.string() + " ranks texts and gives no vectors of them",
                "Give an embedding model.");
  }
  return EmbeddingModel(std::move(state));
}

Result<std::vector<std::vector<float>>> EmbeddingModel::embed(
    std::span<const std::string_view> texts) const {
  std::vector<std::vector<float>> vectors;
  Batch batch(state_->tokens_max);
  for (const std::string_view text : texts) {
    const std::vector<Token> tokens = state_->tokens_of(text);
    if (!batch.has_room(tokens.size())) TRY(state_->compute(batch, vectors));
    batch.add(tokens);
  }
  if (batch.texts() > 0) TRY(state_->compute(batch, vectors));
  return vectors;
}

}  // namespace understudy::lm
