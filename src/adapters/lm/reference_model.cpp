#include "adapters/lm/reference_model.hpp"

#include <llama.h>

#include <algorithm>
#include <array>

#include "adapters/lm/llama_backend.hpp"

namespace understudy::lm {

namespace {

using Context = std::unique_ptr<llama_context, decltype(&llama_free)>;

struct Batch {
  explicit Batch(std::span<const Token> tokens)
      : batch(llama_batch_init(static_cast<std::int32_t>(tokens.size()), 0, 1)) {
    batch.n_tokens = static_cast<std::int32_t>(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      batch.token[i] = tokens[i];
      batch.pos[i] = static_cast<llama_pos>(i);
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = 1;
    }
  }
  ~Batch() { llama_batch_free(batch); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  llama_batch batch;
};

}  // namespace

struct ReferenceModel::State {
  std::string name;
  std::unique_ptr<llama_model, decltype(&llama_model_free)> model{nullptr, &llama_model_free};
  std::unique_ptr<llama_adapter_lora, decltype(&llama_adapter_lora_free)> adapter{
      nullptr, &llama_adapter_lora_free};

  [[nodiscard]] Context context(std::size_t tokens) const {
    llama_context_params parameters = llama_context_default_params();
    parameters.n_ctx = parameters.n_batch = parameters.n_ubatch =
        static_cast<std::uint32_t>(tokens);
    parameters.n_threads = parameters.n_threads_batch = 1;
    parameters.type_k = parameters.type_v = GGML_TYPE_F32;
    parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    return {llama_init_from_model(model.get(), parameters), &llama_free};
  }
};

ReferenceModel::ReferenceModel(std::unique_ptr<State> state) : state_(std::move(state)) {}
// The adapter goes before its model.
ReferenceModel::~ReferenceModel() = default;
ReferenceModel::ReferenceModel(ReferenceModel&&) noexcept = default;
ReferenceModel& ReferenceModel::operator=(ReferenceModel&&) noexcept = default;

Result<ReferenceModel> ReferenceModel::open(const std::filesystem::path& gguf,
                                            const std::filesystem::path& adapter) {
  auto state = std::make_unique<State>();
  state->name = gguf.string();
  llama_model_params parameters = llama_model_default_params();
  parameters.use_extra_bufts = false;  // repacked weights are summed in another order
  state->model.reset(TRY(load_model(gguf, parameters)));
  if (!adapter.empty()) {
    state->adapter.reset(llama_adapter_lora_init(state->model.get(), adapter.c_str()));
    if (!state->adapter) {
      return fail(ErrorCode::corrupt, "libllama cannot load the adapter " + adapter.string() +
                                          " onto " + gguf.string());
    }
  }
  return ReferenceModel(std::move(state));
}

Result<std::vector<std::vector<float>>> ReferenceModel::logits(
    std::span<const Token> tokens) const {
  const Context context = state_->context(tokens.size());
  if (!context) {
    return fail(ErrorCode::internal, "libllama makes no context for " + state_->name);
  }
  if (state_->adapter) {
    std::array<llama_adapter_lora*, 1> adapters = {state_->adapter.get()};
    std::array<float, 1> scales = {1.0F};
    if (llama_set_adapters_lora(context.get(), adapters.data(), 1, scales.data()) != 0) {
      return fail(ErrorCode::internal, "libllama does not take the adapter");
    }
  }
  const Batch batch(tokens);
  if (llama_decode(context.get(), batch.batch) != 0) {
    return fail(ErrorCode::internal, "libllama cannot decode with " + state_->name);
  }
  const auto width =
      static_cast<std::size_t>(llama_vocab_n_tokens(llama_model_get_vocab(state_->model.get())));
  std::vector<std::vector<float>> rows;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const float* row = llama_get_logits_ith(context.get(), static_cast<std::int32_t>(i));
    if (row == nullptr) return fail(ErrorCode::internal, "libllama gave no logits");
    rows.emplace_back(row, row + width);
  }
  return rows;
}

Result<std::vector<Token>> ReferenceModel::continue_greedily(std::span<const Token> prompt,
                                                             std::size_t count) const {
  std::vector<Token> text(prompt.begin(), prompt.end());
  const llama_vocab* vocabulary = llama_model_get_vocab(state_->model.get());
  for (std::size_t i = 0; i < count; ++i) {
    const auto rows = TRY(logits(text));
    const auto best = std::ranges::max_element(rows.back());
    const auto token = static_cast<Token>(best - rows.back().begin());
    if (llama_vocab_is_eog(vocabulary, token)) break;
    text.push_back(token);
  }
  return std::vector<Token>(text.begin() + static_cast<std::ptrdiff_t>(prompt.size()), text.end());
}

}  // namespace understudy::lm
