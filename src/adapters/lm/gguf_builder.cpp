#include "adapters/lm/gguf_builder.hpp"

#include <ggml.h>
#include <gguf.h>

#include <cstring>

#include "base/check.hpp"

namespace understudy::lm {

namespace {

ggml_type to_ggml(StoredAs type) {
  switch (type) {
    case StoredAs::f32: return GGML_TYPE_F32;
    case StoredAs::f16: return GGML_TYPE_F16;
    case StoredAs::bf16: return GGML_TYPE_BF16;
    case StoredAs::q8_0: return GGML_TYPE_Q8_0;
    case StoredAs::q6_k: return GGML_TYPE_Q6_K;
    case StoredAs::q5_k: return GGML_TYPE_Q5_K;
    case StoredAs::q4_k: return GGML_TYPE_Q4_K;
    case StoredAs::q4_0: return GGML_TYPE_Q4_0;
  }
  return GGML_TYPE_F32;
}

using Memory = std::unique_ptr<ggml_context, decltype(&ggml_free)>;

}  // namespace

struct GgufBuilder::State {
  std::unique_ptr<gguf_context, decltype(&gguf_free)> file{gguf_init_empty(), &gguf_free};
  std::vector<Memory> memories;
};

GgufBuilder::GgufBuilder() : state_(std::make_unique<State>()) {}
GgufBuilder::~GgufBuilder() = default;
GgufBuilder::GgufBuilder(GgufBuilder&&) noexcept = default;
GgufBuilder& GgufBuilder::operator=(GgufBuilder&&) noexcept = default;

void GgufBuilder::set(const std::string& key, const std::string& value) {
  gguf_set_val_str(state_->file.get(), key.c_str(), value.c_str());
}
void GgufBuilder::set(const std::string& key, const char* value) {
  gguf_set_val_str(state_->file.get(), key.c_str(), value);
}
void GgufBuilder::set(const std::string& key, std::uint32_t value) {
  gguf_set_val_u32(state_->file.get(), key.c_str(), value);
}
void GgufBuilder::set(const std::string& key, std::uint16_t value) {
  gguf_set_val_u16(state_->file.get(), key.c_str(), value);
}
void GgufBuilder::set(const std::string& key, float value) {
  gguf_set_val_f32(state_->file.get(), key.c_str(), value);
}
void GgufBuilder::set(const std::string& key, bool value) {
  gguf_set_val_bool(state_->file.get(), key.c_str(), value);
}

void GgufBuilder::set(const std::string& key, const std::vector<std::int32_t>& values) {
  gguf_set_arr_data(state_->file.get(), key.c_str(), GGUF_TYPE_INT32, values.data(), values.size());
}

void GgufBuilder::set_vocabulary(const TokenTable& tokens) {
  std::vector<const char*> pieces;
  std::vector<std::int32_t> types;
  for (std::size_t i = 0; i < tokens.pieces.size(); ++i) {
    pieces.push_back(tokens.pieces[i].c_str());
    types.push_back(static_cast<std::int32_t>(tokens.types[i]));
  }
  gguf_context* file = state_->file.get();
  set("tokenizer.ggml.model", "llama");
  set("tokenizer.ggml.pre", "default");
  gguf_set_arr_str(file, "tokenizer.ggml.tokens", pieces.data(), pieces.size());
  gguf_set_arr_data(file, "tokenizer.ggml.scores", GGUF_TYPE_FLOAT32, tokens.scores.data(),
                    tokens.scores.size());
  gguf_set_arr_data(file, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
  set("tokenizer.ggml.unknown_token_id", static_cast<std::uint32_t>(tokens.unknown_id));
  set("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(tokens.begin_id));
  set("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(tokens.end_id));
  set("tokenizer.ggml.add_bos_token", false);
  set("tokenizer.ggml.add_eos_token", false);
  set("tokenizer.ggml.add_space_prefix", false);
  set("tokenizer.ggml.remove_extra_whitespaces", false);
}

void GgufBuilder::add(const TensorToStore& tensor, std::span<const float> values) {
  CHECK(static_cast<std::int64_t>(values.size()) == tensor.rows * tensor.columns,
        "a tensor has as many values as its shape says");
  const ggml_type type = to_ggml(tensor.type);
  const std::size_t bytes =
      ggml_row_size(type, tensor.columns) * static_cast<std::size_t>(tensor.rows);
  Memory memory(ggml_init({.mem_size = bytes + ggml_tensor_overhead() + 2 * GGML_MEM_ALIGN,
                           .mem_buffer = nullptr,
                           .no_alloc = false}),
                &ggml_free);
  CHECK(memory, "ggml gives the memory that it is asked for");
  ggml_tensor* stored = tensor.rows == 1
                            ? ggml_new_tensor_1d(memory.get(), type, tensor.columns)
                            : ggml_new_tensor_2d(memory.get(), type, tensor.columns, tensor.rows);
  ggml_set_name(stored, tensor.name.c_str());
  if (type == GGML_TYPE_F32) {
    std::memcpy(stored->data, values.data(), values.size_bytes());
  } else {
    ggml_quantize_chunk(type, values.data(), stored->data, 0, tensor.rows, tensor.columns, nullptr);
  }
  gguf_add_tensor(state_->file.get(), stored);
  state_->memories.push_back(std::move(memory));
}

Status GgufBuilder::write(const std::filesystem::path& path) const {
  if (!gguf_write_to_file(state_->file.get(), path.c_str(), state_->memories.empty())) {
    return fail(ErrorCode::exhausted, "cannot write " + path.string(),
                "Look at the free space and the rights of its directory.");
  }
  return {};
}

}  // namespace understudy::lm
