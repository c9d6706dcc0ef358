#include "adapters/lm/gguf_writer.hpp"

#include <ggml.h>
#include <gguf.h>

#include <cstring>
#include <memory>

#include "base/check.hpp"

namespace understudy::lm {

namespace {

constexpr std::uint32_t file_type_f32 = 0;

using Gguf = std::unique_ptr<gguf_context, decltype(&gguf_free)>;
using Ggml = std::unique_ptr<ggml_context, decltype(&ggml_free)>;

void set_shape(gguf_context* file, const LlamaShape& shape) {
  gguf_set_val_u32(file, "llama.context_length", shape.context);
  gguf_set_val_u32(file, "llama.embedding_length", shape.width);
  gguf_set_val_u32(file, "llama.block_count", shape.layers);
  gguf_set_val_u32(file, "llama.feed_forward_length", shape.feed_forward);
  gguf_set_val_u32(file, "llama.attention.head_count", shape.heads);
  gguf_set_val_u32(file, "llama.attention.head_count_kv", shape.heads);
  gguf_set_val_f32(file, "llama.attention.layer_norm_rms_epsilon", shape.norm_epsilon);
  gguf_set_val_f32(file, "llama.rope.freq_base", shape.rope_base);
  gguf_set_val_u32(file, "llama.rope.dimension_count", shape.head_width());
  gguf_set_val_u32(file, "llama.vocab_size", shape.vocabulary);
}

void set_tokens(gguf_context* file, const TokenTable& tokens) {
  std::vector<const char*> pieces;
  std::vector<std::int32_t> types;
  for (std::size_t i = 0; i < tokens.pieces.size(); ++i) {
    pieces.push_back(tokens.pieces[i].c_str());
    types.push_back(static_cast<std::int32_t>(tokens.types[i]));
  }
  gguf_set_val_str(file, "tokenizer.ggml.model", "llama");
  gguf_set_val_str(file, "tokenizer.ggml.pre", "default");
  gguf_set_arr_str(file, "tokenizer.ggml.tokens", pieces.data(), pieces.size());
  gguf_set_arr_data(file, "tokenizer.ggml.scores", GGUF_TYPE_FLOAT32, tokens.scores.data(),
                    tokens.scores.size());
  gguf_set_arr_data(file, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
  gguf_set_val_u32(file, "tokenizer.ggml.unknown_token_id",
                   static_cast<std::uint32_t>(tokens.unknown_id));
  gguf_set_val_u32(file, "tokenizer.ggml.bos_token_id",
                   static_cast<std::uint32_t>(tokens.begin_id));
  gguf_set_val_u32(file, "tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(tokens.end_id));
  gguf_set_val_bool(file, "tokenizer.ggml.add_bos_token", false);
  gguf_set_val_bool(file, "tokenizer.ggml.add_eos_token", false);
  gguf_set_val_bool(file, "tokenizer.ggml.add_space_prefix", false);
  gguf_set_val_bool(file, "tokenizer.ggml.remove_extra_whitespaces", false);
}

std::size_t memory_bytes(const std::vector<NamedTensor>& tensors) {
  std::size_t bytes = 0;
  for (const NamedTensor& tensor : tensors) {
    bytes += tensor.values.size_bytes() + ggml_tensor_overhead() + GGML_MEM_ALIGN;
  }
  return bytes + ggml_tensor_overhead();
}

}  // namespace

Status write_gguf(const std::filesystem::path& path, const GgufContent& content) {
  const Gguf file(gguf_init_empty(), &gguf_free);
  const Ggml memory(
      ggml_init(
          {.mem_size = memory_bytes(content.tensors), .mem_buffer = nullptr, .no_alloc = false}),
      &ggml_free);
  if (!file || !memory) return fail(ErrorCode::exhausted, "no memory to write " + path.string());
  gguf_set_val_str(file.get(), "general.architecture", "llama");
  gguf_set_val_str(file.get(), "general.name", content.name.c_str());
  gguf_set_val_u32(file.get(), "general.file_type", file_type_f32);
  set_shape(file.get(), content.shape);
  set_tokens(file.get(), content.tokens);
  for (const auto& [key, value] : content.facts) {
    gguf_set_val_str(file.get(), key.c_str(), value.c_str());
  }
  for (const NamedTensor& tensor : content.tensors) {
    CHECK(static_cast<std::int64_t>(tensor.values.size()) == tensor.rows * tensor.columns,
          "a tensor has as many values as its shape says");
    ggml_tensor* stored =
        tensor.rows == 1
            ? ggml_new_tensor_1d(memory.get(), GGML_TYPE_F32, tensor.columns)
            : ggml_new_tensor_2d(memory.get(), GGML_TYPE_F32, tensor.columns, tensor.rows);
    ggml_set_name(stored, tensor.name.c_str());
    std::memcpy(stored->data, tensor.values.data(), tensor.values.size_bytes());
    gguf_add_tensor(file.get(), stored);
  }
  if (!gguf_write_to_file(file.get(), path.c_str(), content.tensors.empty())) {
    return fail(ErrorCode::exhausted, "cannot write " + path.string(),
                "Look at the free space and the rights of its directory.");
  }
  return {};
}

}  // namespace understudy::lm
