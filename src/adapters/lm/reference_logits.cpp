#include "adapters/lm/reference_logits.hpp"

#include <llama.h>

#include <memory>

#include "adapters/lm/llama_backend.hpp"

namespace understudy::lm {

Result<std::vector<std::vector<float>>> reference_logits(const std::filesystem::path& gguf,
                                                         std::span<const Token> tokens) {
  prepare_llama();
  const std::unique_ptr<llama_model, decltype(&llama_model_free)> model(
      llama_model_load_from_file(gguf.c_str(), llama_model_default_params()), &llama_model_free);
  if (!model) return fail(ErrorCode::corrupt, "libllama cannot load " + gguf.string());
  const auto count = static_cast<std::uint32_t>(tokens.size());
  llama_context_params parameters = llama_context_default_params();
  parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = count;
  parameters.n_threads = parameters.n_threads_batch = 1;
  parameters.type_k = parameters.type_v = GGML_TYPE_F32;
  parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  const std::unique_ptr<llama_context, decltype(&llama_free)> context(
      llama_init_from_model(model.get(), parameters), &llama_free);
  if (!context) return fail(ErrorCode::internal, "libllama makes no context for " + gguf.string());

  llama_batch batch = llama_batch_init(static_cast<std::int32_t>(count), 0, 1);
  for (std::uint32_t i = 0; i < count; ++i) {
    batch.token[i] = tokens[i];
    batch.pos[i] = static_cast<llama_pos>(i);
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = 1;
  }
  batch.n_tokens = static_cast<std::int32_t>(count);
  const auto status = llama_decode(context.get(), batch);
  llama_batch_free(batch);
  if (status != 0) return fail(ErrorCode::internal, "libllama cannot decode with " + gguf.string());

  const auto width =
      static_cast<std::size_t>(llama_vocab_n_tokens(llama_model_get_vocab(model.get())));
  std::vector<std::vector<float>> rows;
  for (std::uint32_t i = 0; i < count; ++i) {
    const float* row = llama_get_logits_ith(context.get(), static_cast<std::int32_t>(i));
    if (row == nullptr) return fail(ErrorCode::internal, "libllama gave no logits");
    rows.emplace_back(row, row + width);
  }
  return rows;
}

}  // namespace understudy::lm
