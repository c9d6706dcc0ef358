#include "adapters/lm/gguf_builder.hpp"

#include <ggml.h>
#include <gguf.h>

#include <cstring>
#include <fstream>
#include <utility>

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

std::size_t bytes_of(const TensorToStore& tensor) {
  return ggml_row_size(to_ggml(tensor.type), tensor.columns) *
         static_cast<std::size_t>(tensor.rows);
}

void store(const TensorToStore& tensor, std::span<const float> values, void* out) {
  CHECK(static_cast<std::int64_t>(values.size()) == tensor.rows * tensor.columns,
        "a tensor has as many values as its shape says");
  if (tensor.type == StoredAs::f32) {
    std::memcpy(out, values.data(), values.size_bytes());
    return;
  }
  ggml_quantize_chunk(to_ggml(tensor.type), values.data(), out, 0, tensor.rows, tensor.columns,
                      nullptr);
}

}  // namespace

std::vector<std::byte> stored_bytes(const TensorToStore& tensor, std::span<const float> values) {
  std::vector<std::byte> bytes(bytes_of(tensor));
  store(tensor, values, bytes.data());
  return bytes;
}

struct GgufBuilder::State {
  std::unique_ptr<gguf_context, decltype(&gguf_free)> file{gguf_init_empty(), &gguf_free};
  std::vector<Memory> memories;
  struct Content {
    const ggml_tensor* tensor;
    TensorBytes later;  // empty: the tensor holds its bytes
  };
  std::vector<Content> contents;
  std::function<void(std::size_t)> tell;

  ggml_tensor* declare(const TensorToStore& tensor, std::size_t bytes);
};

// A tensor in a memory of its own, with room for its bytes or none.
ggml_tensor* GgufBuilder::State::declare(const TensorToStore& tensor, std::size_t bytes) {
  Memory memory(ggml_init({.mem_size = bytes + ggml_tensor_overhead() + 2 * GGML_MEM_ALIGN,
                           .mem_buffer = nullptr,
                           .no_alloc = bytes == 0}),
                &ggml_free);
  CHECK(memory, "ggml gives the memory that it is asked for");
  const ggml_type type = to_ggml(tensor.type);
  ggml_tensor* declared = tensor.rows == 1
                              ? ggml_new_tensor_1d(memory.get(), type, tensor.columns)
                              : ggml_new_tensor_2d(memory.get(), type, tensor.columns, tensor.rows);
  ggml_set_name(declared, tensor.name.c_str());
  gguf_add_tensor(file.get(), declared);
  memories.push_back(std::move(memory));
  return declared;
}

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

void GgufBuilder::set(const std::string& key, const std::vector<float>& values) {
  gguf_set_arr_data(state_->file.get(), key.c_str(), GGUF_TYPE_FLOAT32, values.data(),
                    values.size());
}

void GgufBuilder::set(const std::string& key, const std::vector<std::string>& values) {
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const std::string& value : values) texts.push_back(value.c_str());
  gguf_set_arr_str(state_->file.get(), key.c_str(), texts.data(), texts.size());
}

void GgufBuilder::set_vocabulary(const TokenTable& tokens) {
  std::vector<std::int32_t> types;
  for (const TokenType type : tokens.types) types.push_back(static_cast<std::int32_t>(type));
  set("tokenizer.ggml.model", "llama");
  set("tokenizer.ggml.pre", "default");
  set("tokenizer.ggml.tokens", tokens.pieces);
  set("tokenizer.ggml.scores", tokens.scores);
  set("tokenizer.ggml.token_type", types);
  set("tokenizer.ggml.unknown_token_id", static_cast<std::uint32_t>(tokens.unknown_id));
  set("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(tokens.begin_id));
  set("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(tokens.end_id));
  set("tokenizer.ggml.add_bos_token", false);
  set("tokenizer.ggml.add_eos_token", false);
  set("tokenizer.ggml.add_space_prefix", false);
  set("tokenizer.ggml.remove_extra_whitespaces", false);
}

void GgufBuilder::add(const TensorToStore& tensor, std::span<const float> values) {
  ggml_tensor* stored = state_->declare(tensor, bytes_of(tensor));
  store(tensor, values, stored->data);
  state_->contents.push_back({.tensor = stored, .later = {}});
}

void GgufBuilder::add_later(const TensorToStore& tensor, TensorBytes bytes) {
  state_->contents.push_back({.tensor = state_->declare(tensor, 0), .later = std::move(bytes)});
}

void GgufBuilder::on_written(std::function<void(std::size_t)> tell) {
  state_->tell = std::move(tell);
}

Status GgufBuilder::write(const std::filesystem::path& path) const {
  std::vector<char> head(gguf_get_meta_size(state_->file.get()));
  gguf_get_meta_data(state_->file.get(), head.data());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(head.data(), static_cast<std::streamsize>(head.size()));
  const std::size_t alignment = gguf_get_alignment(state_->file.get());
  for (const State::Content& content : state_->contents) {
    const std::size_t size = ggml_nbytes(content.tensor);
    std::vector<std::byte> fetched;
    if (content.later) fetched = content.later();
    CHECK(!content.later || fetched.size() == size, "a tensor has the bytes that were declared");
    const void* bytes = content.later ? fetched.data() : content.tensor->data;
    file.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
    for (std::size_t i = size; i % alignment != 0; ++i) file.put('\0');
    if (!file) break;
    if (state_->tell) state_->tell(size);
  }
  file.close();
  if (!file) {
    return fail(ErrorCode::exhausted, "cannot write " + path.string(),
                "Look at the free space and the rights of its directory.");
  }
  return {};
}

}  // namespace understudy::lm
