#include "adapters/lm/model_file.hpp"

#include <ggml.h>
#include <gguf.h>

#include <algorithm>
#include <map>
#include <memory>
#include <system_error>
#include <vector>

#include "adapters/lm/gguf_file.hpp"
#include "adapters/lm/gguf_keys.hpp"
#include "adapters/lm/llama_backend.hpp"

namespace understudy::lm {

namespace {

constexpr std::int64_t layers_max = 10'000;
constexpr std::int64_t f16_bytes = 2;

struct FreeGguf {
  void operator()(gguf_context* file) const { gguf_free(file); }
};
using Head = std::unique_ptr<gguf_context, FreeGguf>;

std::unexpected<Error> corrupt(const std::filesystem::path& path, std::string_view why) {
  return fail(ErrorCode::corrupt, path.string() + " " + std::string(why), "Fetch the file again.");
}

Result<Head> open_head(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return fail(ErrorCode::not_found, "there is no file " + path.string(), "Check its path.");
  silence_ggml();
  Head head(gguf_init_from_file(path.c_str(), {.no_alloc = true, .ctx = nullptr}));
  if (!head) return corrupt(path, "is no GGUF file, or its head is damaged or truncated");
  return head;
}

// One value for all layers, or one for each.
std::vector<std::int64_t> integers(const gguf_context* head, const std::string& key) {
  if (const auto one = gguf_integer(head, key)) return {*one};
  return gguf_integers(head, key).value_or(std::vector<std::int64_t>());
}

std::int64_t integer(const gguf_context* head, const std::string& key, std::int64_t otherwise) {
  const auto values = integers(head, key);
  return values.empty() ? otherwise : values.front();
}

// Adds up one file's tensors; says whether they all lie in it.
Status add_tensors(const std::filesystem::path& path, const gguf_context* head, ModelFile& model,
                   std::map<std::string, std::int64_t>& bytes_of_type) {
  std::error_code error;
  const auto file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(path, error));
  const auto data = static_cast<std::int64_t>(gguf_get_data_offset(head));
  for (std::int64_t id = 0; id < gguf_get_n_tensors(head); ++id) {
    const auto bytes = static_cast<std::int64_t>(gguf_get_tensor_size(head, id));
    const auto offset = static_cast<std::int64_t>(gguf_get_tensor_offset(head, id));
    if (offset < 0 || bytes < 0 || data > file_bytes || offset > file_bytes - data ||
        bytes > file_bytes - data - offset) {
      return corrupt(path, std::string("is truncated: tensor ") + gguf_get_tensor_name(head, id) +
                               " lies behind its end");
    }
    const std::int64_t* shape = gguf_get_tensor_ne(head, id);
    std::int64_t elements = 1;
    for (int i = 0; i < GGML_MAX_DIMS; ++i) {
      if (shape[i] <= 0 || __builtin_mul_overflow(elements, shape[i], &elements))
        return corrupt(path, std::string("has a tensor without a sound shape: ") +
                                 gguf_get_tensor_name(head, id));
    }
    model.parameters += elements;
    model.weight_bytes += bytes;
    bytes_of_type[ggml_type_name(gguf_get_tensor_type(head, id))] += bytes;
  }
  return {};
}

// Keys and values of a token in all layers that attend; layers of other kinds have 0 heads.
std::int64_t kv_bytes(const gguf_context* head, const std::string& architecture,
                      std::int64_t layers) {
  const std::string prefix = architecture + ".";
  const std::vector<std::int64_t> heads = integers(head, prefix + "attention.head_count");
  if (heads.empty() || layers == 0) return 0;
  const std::int64_t heads_max = *std::ranges::max_element(heads);
  const std::int64_t head_width =
      integer(head, prefix + "embedding_length", 0) / std::max<std::int64_t>(1, heads_max);
  const std::int64_t values = integer(head, prefix + "attention.key_length", head_width) +
                              integer(head, prefix + "attention.value_length", head_width);
  std::vector<std::int64_t> kv_heads = integers(head, prefix + "attention.head_count_kv");
  if (kv_heads.empty()) kv_heads = heads;
  std::int64_t all_heads = 0;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const auto at = std::min(static_cast<std::size_t>(layer), kv_heads.size() - 1);
    all_heads += std::max<std::int64_t>(0, kv_heads[at]);
  }
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(all_heads, values, &bytes) ||
      __builtin_mul_overflow(bytes, f16_bytes, &bytes))
    return 0;
  return std::max<std::int64_t>(0, bytes);
}

}  // namespace

Result<ModelFile> read_model_file(const std::filesystem::path& path) {
  const Head head = TRY(open_head(path));
  ModelFile model{.path = path};
  model.name = gguf_text(head.get(), "general.name").value_or("");
  model.architecture = gguf_text(head.get(), "general.architecture").value_or("");
  model.licence = gguf_text(head.get(), "general.license").value_or("");
  model.has_chat_template = gguf_text(head.get(), "tokenizer.chat_template").has_value();
  const std::string prefix = model.architecture + ".";
  model.layers = integer(head.get(), prefix + "block_count", 0);
  if (model.architecture.empty() || model.layers <= 0 || model.layers > layers_max)
    return fail(ErrorCode::corrupt, path.string() + " is no language model: it names no layers",
                "adapters, vocabularies and image encoders cannot be served alone");
  model.context_tokens = integer(head.get(), prefix + "context_length", 0);
  model.kv_bytes_per_token = kv_bytes(head.get(), model.architecture, model.layers);
  const std::int64_t tokens = gguf_find_key(head.get(), "tokenizer.ggml.tokens");
  if (tokens >= 0 && gguf_get_kv_type(head.get(), tokens) == GGUF_TYPE_ARRAY)
    model.vocabulary = static_cast<std::int64_t>(gguf_get_arr_n(head.get(), tokens));
  std::map<std::string, std::int64_t> bytes_of_type;
  TRY(add_tensors(path, head.get(), model, bytes_of_type));
  const std::int64_t parts = integer(head.get(), "split.count", 1);
  if (parts > model_parts_max) return corrupt(path, "says that it has too many parts");
  for (std::int64_t part = 2; part <= parts; ++part) {
    const std::filesystem::path next = TRY(part_of_model(path, part, parts));
    const Head more = TRY(open_head(next));
    TRY(add_tensors(next, more.get(), model, bytes_of_type));
  }
  const auto most =
      std::ranges::max_element(bytes_of_type, {}, [](const auto& entry) { return entry.second; });
  if (most == bytes_of_type.end()) return corrupt(path, "holds no weights");
  model.stored_as = most->first;
  return model;
}

}  // namespace understudy::lm
