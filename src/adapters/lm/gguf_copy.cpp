#include "adapters/lm/gguf_copy.hpp"

#include <ggml.h>
#include <gguf.h>
#include <llama.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <thread>

#include "adapters/lm/llama_backend.hpp"
#include "base/check.hpp"

namespace understudy::lm {

namespace {

struct Quantisation {
  std::string_view name;
  llama_ftype type;
};
// Those that need no importance matrix.
constexpr auto known = std::to_array<Quantisation>(
    {{"F16", LLAMA_FTYPE_MOSTLY_F16},       {"BF16", LLAMA_FTYPE_MOSTLY_BF16},
     {"Q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},     {"Q6_K", LLAMA_FTYPE_MOSTLY_Q6_K},
     {"Q5_K_M", LLAMA_FTYPE_MOSTLY_Q5_K_M}, {"Q5_K_S", LLAMA_FTYPE_MOSTLY_Q5_K_S},
     {"Q5_1", LLAMA_FTYPE_MOSTLY_Q5_1},     {"Q5_0", LLAMA_FTYPE_MOSTLY_Q5_0},
     {"IQ4_NL", LLAMA_FTYPE_MOSTLY_IQ4_NL}, {"IQ4_XS", LLAMA_FTYPE_MOSTLY_IQ4_XS},
     {"Q4_K_M", LLAMA_FTYPE_MOSTLY_Q4_K_M}, {"Q4_K_S", LLAMA_FTYPE_MOSTLY_Q4_K_S},
     {"Q4_1", LLAMA_FTYPE_MOSTLY_Q4_1},     {"Q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},
     {"IQ3_M", LLAMA_FTYPE_MOSTLY_IQ3_M},   {"IQ3_S", LLAMA_FTYPE_MOSTLY_IQ3_S},
     {"Q3_K_L", LLAMA_FTYPE_MOSTLY_Q3_K_L}, {"Q3_K_M", LLAMA_FTYPE_MOSTLY_Q3_K_M},
     {"Q3_K_S", LLAMA_FTYPE_MOSTLY_Q3_K_S}, {"Q2_K", LLAMA_FTYPE_MOSTLY_Q2_K}});
constexpr auto names = [] {
  std::array<std::string_view, known.size()> all;
  std::ranges::transform(known, all.begin(), &Quantisation::name);
  return all;
}();

using Gguf = std::unique_ptr<gguf_context, decltype(&gguf_free)>;
using Memory = std::unique_ptr<ggml_context, decltype(&ggml_free)>;

std::unexpected<Error> cannot_write(const std::filesystem::path& path) {
  return fail(ErrorCode::exhausted, "cannot write " + path.string(),
              "Look at the free space and the rights of its directory.");
}

// The head of the file: all keys, and the tensors' shapes without values.
struct Head {
  Gguf file{gguf_init_empty(), &gguf_free};
  Memory shapes{nullptr, &ggml_free};

  explicit Head(const GgufFile& from) {
    gguf_set_kv(file.get(), from.handle());
    gguf_set_val_u32(file.get(), "general.file_type", LLAMA_FTYPE_ALL_F32);
    for (const char* key : {"split.no", "split.count", "split.tensors.count", "general.alignment",
                            source_directory_key, source_mark_key}) {
      gguf_remove_key(file.get(), key);
    }
    shapes.reset(ggml_init({.mem_size = ggml_tensor_overhead() * (from.tensors().size() + 1),
                            .mem_buffer = nullptr,
                            .no_alloc = true}));
    for (const StoredTensor& tensor : from.tensors()) {
      ggml_tensor* shape =
          tensor.rows == 1
              ? ggml_new_tensor_1d(shapes.get(), GGML_TYPE_F32, tensor.columns)
              : ggml_new_tensor_2d(shapes.get(), GGML_TYPE_F32, tensor.columns, tensor.rows);
      ggml_set_name(shape, tensor.name.c_str());
      gguf_add_tensor(file.get(), shape);
    }
  }
};

}  // namespace

Status write_gguf_copy(const GgufFile& from, const std::filesystem::path& path,
                       const TensorValues& values) {
  const Head head(from);
  std::vector<char> bytes(gguf_get_meta_size(head.file.get()));
  gguf_get_meta_data(head.file.get(), bytes.data());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const std::size_t alignment = gguf_get_alignment(head.file.get());
  for (const StoredTensor& tensor : from.tensors()) {
    const std::vector<float> written = values(tensor);
    CHECK(static_cast<std::int64_t>(written.size()) == tensor.rows * tensor.columns,
          "a tensor keeps its shape");
    const std::size_t size = written.size() * sizeof(float);
    file.write(reinterpret_cast<const char*>(written.data()), static_cast<std::streamsize>(size));
    for (std::size_t i = size; i % alignment != 0; ++i) file.put('\0');
    if (!file) return cannot_write(path);
  }
  file.close();
  if (!file) return cannot_write(path);
  return {};
}

std::span<const std::string_view> quantisations() { return names; }

Status quantise_gguf(const std::filesystem::path& from, const std::filesystem::path& to,
                     std::string_view as) {
  const auto found = std::ranges::find(known, as, &Quantisation::name);
  if (found == known.end()) {
    std::string all;
    for (const std::string_view name : names) all += (all.empty() ? "" : ", ") + std::string(name);
    return fail(ErrorCode::invalid_input, "no such quantisation: " + std::string(as),
                "Choose one of " + all + ".");
  }
  prepare_llama();
  llama_model_quantize_params parameters = llama_model_quantize_default_params();
  parameters.ftype = found->type;
  parameters.nthread = static_cast<std::int32_t>(std::thread::hardware_concurrency());
  if (llama_model_quantize(from.c_str(), to.c_str(), &parameters) != 0) {
    return fail(ErrorCode::exhausted,
                "libllama cannot quantise " + from.string() + " into " + to.string(),
                "Look at the free space and the rights of its directory.");
  }
  return {};
}

}  // namespace understudy::lm
