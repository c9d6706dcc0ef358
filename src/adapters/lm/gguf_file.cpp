#include "adapters/lm/gguf_file.hpp"

#include <ggml.h>
#include <gguf.h>
#include <sys/mman.h>

#include <array>
#include <cstring>
#include <format>
#include <limits>
#include <map>
#include <utility>

#include "adapters/lm/gguf_keys.hpp"
#include "adapters/lm/llama_backend.hpp"
#include "adapters/lm/mapped_file.hpp"
#include "base/check.hpp"

namespace understudy::lm {

namespace {

struct TypeName {
  StoredAs type;
  ggml_type ggml;
  std::string_view name;
};
constexpr std::array<TypeName, 8> type_names = {{{StoredAs::f32, GGML_TYPE_F32, "F32"},
                                                 {StoredAs::f16, GGML_TYPE_F16, "F16"},
                                                 {StoredAs::bf16, GGML_TYPE_BF16, "BF16"},
                                                 {StoredAs::q8_0, GGML_TYPE_Q8_0, "Q8_0"},
                                                 {StoredAs::q6_k, GGML_TYPE_Q6_K, "Q6_K"},
                                                 {StoredAs::q5_k, GGML_TYPE_Q5_K, "Q5_K"},
                                                 {StoredAs::q4_k, GGML_TYPE_Q4_K, "Q4_K"},
                                                 {StoredAs::q4_0, GGML_TYPE_Q4_0, "Q4_0"}}};

const TypeName& row_of(StoredAs type) { return type_names[static_cast<std::size_t>(type)]; }

std::optional<StoredAs> stored_as(ggml_type type) {
  for (const TypeName& row : type_names) {
    if (row.ggml == type) return row.type;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(StoredAs type) { return row_of(type).name; }

void expand_rows(const StoredTensor& tensor, const RowRange& range, float* out) {
  CHECK(range.first >= 0 && range.count >= 0 && range.first + range.count <= tensor.rows,
        "the rows lie in the tensor");
  const std::byte* from =
      tensor.bytes.data() + static_cast<std::size_t>(range.first) * tensor.row_bytes();
  const std::int64_t values = range.count * tensor.columns;
  if (tensor.type == StoredAs::f32) {
    std::memcpy(out, from, static_cast<std::size_t>(values) * sizeof(float));
    return;
  }
  ggml_get_type_traits(row_of(tensor.type).ggml)->to_float(from, out, values);
}

std::vector<float> expand(const StoredTensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.rows * tensor.columns));
  expand_rows(tensor, {.first = 0, .count = tensor.rows}, values.data());
  return values;
}

struct GgufFile::State {
  std::string name;
  MappedFile mapping;
  std::unique_ptr<gguf_context, decltype(&gguf_free)> file{nullptr, &gguf_free};
  std::vector<StoredTensor> tensors;
  std::map<std::string, std::size_t, std::less<>> by_name;
  std::vector<std::unique_ptr<State>> parts;  // the further files of a model in several

  Status open_parts(const std::filesystem::path& first);
  Status read(std::span<const std::byte> bytes);
  Result<StoredTensor> tensor(std::int64_t id, std::span<const std::byte> bytes) const;
  [[nodiscard]] std::int64_t key(const std::string& text) const {
    return gguf_find_key(file.get(), text.c_str());
  }
};

Result<StoredTensor> GgufFile::State::tensor(std::int64_t id,
                                             std::span<const std::byte> bytes) const {
  StoredTensor tensor{.name = gguf_get_tensor_name(file.get(), id)};
  const ggml_type type = gguf_get_tensor_type(file.get(), id);
  const auto ours = stored_as(type);
  if (!ours) {
    return fail(ErrorCode::unsupported,
                name + ": tensor " + tensor.name + " is stored as " + ggml_type_name(type),
                "F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q4_K and Q4_0 can be read: convert the file "
                "with llama-quantize.");
  }
  tensor.type = *ours;
  const std::int64_t* shape = gguf_get_tensor_ne(file.get(), id);
  tensor.columns = shape[0];
  for (int i = 1; i < GGML_MAX_DIMS; ++i) {
    if (shape[i] <= 0 || tensor.rows > std::numeric_limits<std::int64_t>::max() / shape[i]) {
      return fail(ErrorCode::corrupt, name + ": tensor " + tensor.name + " has no sound shape");
    }
    tensor.rows *= shape[i];
  }
  const std::size_t size = gguf_get_tensor_size(file.get(), id);
  const std::size_t begin = gguf_get_data_offset(file.get());
  const std::size_t offset = gguf_get_tensor_offset(file.get(), id);
  if (begin > bytes.size() || offset > bytes.size() - begin ||
      size > bytes.size() - begin - offset) {
    return fail(ErrorCode::corrupt,
                name + " is truncated: tensor " + tensor.name + " lies behind its end",
                "Fetch the file again.");
  }
  const std::size_t row_size = ggml_row_size(type, tensor.columns);
  if (tensor.columns <= 0 || row_size == 0 ||
      size / row_size != static_cast<std::size_t>(tensor.rows)) {
    return fail(ErrorCode::corrupt, name + ": tensor " + tensor.name + " has no sound shape");
  }
  tensor.bytes = bytes.subspan(begin + offset, size);
  return tensor;
}

Status GgufFile::State::read(std::span<const std::byte> bytes) {
  silence_ggml();
  file.reset(gguf_init_from_buffer(bytes.data(), bytes.size(), {.no_alloc = true, .ctx = nullptr}));
  if (!file) {
    return fail(ErrorCode::corrupt, name + " is no GGUF file, or its head is damaged or truncated",
                "Fetch the file again.");
  }
  const std::int64_t count = gguf_get_n_tensors(file.get());
  for (std::int64_t id = 0; id < count; ++id) {
    tensors.push_back(TRY(tensor(id, bytes)));
    by_name.emplace(tensors.back().name, tensors.size() - 1);
  }
  return {};
}

Result<std::filesystem::path> part_of_model(const std::filesystem::path& first, std::int64_t number,
                                            std::int64_t count) {
  const auto ending = [count](std::int64_t part) {
    return std::format("-{:05}-of-{:05}.gguf", part, count);
  };
  const std::string whole = first.string();
  if (!whole.ends_with(ending(1))) {
    return fail(ErrorCode::invalid_input,
                whole + " is one part of a model in " + std::to_string(count) + " files",
                "Give the first of them, whose name ends with " + ending(1) + ".");
  }
  return whole.substr(0, whole.size() - ending(1).size()) + ending(number);
}

// "NAME-00001-of-00003.gguf": the keys are in the first, the tensors in all.
Status GgufFile::State::open_parts(const std::filesystem::path& first) {
  const std::int64_t count = gguf_integer(file.get(), "split.count").value_or(1);
  if (count <= 1) return {};
  if (count > model_parts_max) {
    return fail(ErrorCode::corrupt, name + " says that it has too many parts");
  }
  for (std::int64_t number = 2; number <= count; ++number) {
    auto part = std::make_unique<State>();
    part->name = TRY(part_of_model(first, number, count)).string();
    part->mapping = TRY(MappedFile::open(part->name));
    TRY(part->read(part->mapping.bytes()));
    for (const StoredTensor& one : part->tensors) {
      tensors.push_back(one);
      by_name.emplace(one.name, tensors.size() - 1);
    }
    parts.push_back(std::move(part));
  }
  return {};
}

GgufFile::GgufFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
GgufFile::~GgufFile() = default;
GgufFile::GgufFile(GgufFile&&) noexcept = default;
GgufFile& GgufFile::operator=(GgufFile&&) noexcept = default;

Result<GgufFile> GgufFile::parse(std::span<const std::byte> bytes, std::string name) {
  auto state = std::make_unique<State>();
  state->name = std::move(name);
  TRY(state->read(bytes));
  return GgufFile(std::move(state));
}

Result<GgufFile> GgufFile::open(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->name = path.string();
  state->mapping = TRY(MappedFile::open(path));
  TRY(state->read(state->mapping.bytes()));
  TRY(state->open_parts(path));
  return GgufFile(std::move(state));
}

void GgufFile::drop_pages() const {
  const auto drop = [](const MappedFile& mapping) {
    const auto bytes = mapping.bytes();
    // Pages of a file that nobody writes to; a failure costs memory and nothing else.
    if (!bytes.empty())
      ::madvise(const_cast<std::byte*>(bytes.data()), bytes.size(), MADV_DONTNEED);
  };
  drop(state_->mapping);
  for (const auto& part : state_->parts) drop(part->mapping);
}

bool GgufFile::has(const std::string& key) const { return state_->key(key) >= 0; }

std::optional<std::int64_t> GgufFile::find_integer(const std::string& key) const {
  return gguf_integer(state_->file.get(), key);
}

std::optional<double> GgufFile::find_number(const std::string& key) const {
  const std::int64_t id = state_->key(key);
  if (id < 0) return std::nullopt;
  switch (gguf_get_kv_type(state_->file.get(), id)) {
    case GGUF_TYPE_FLOAT32: return gguf_get_val_f32(state_->file.get(), id);
    case GGUF_TYPE_FLOAT64: return gguf_get_val_f64(state_->file.get(), id);
    default: return std::nullopt;
  }
}

std::optional<bool> GgufFile::find_bool(const std::string& key) const {
  const std::int64_t id = state_->key(key);
  if (id < 0 || gguf_get_kv_type(state_->file.get(), id) != GGUF_TYPE_BOOL) return std::nullopt;
  return gguf_get_val_bool(state_->file.get(), id);
}

std::optional<std::string> GgufFile::find_string(const std::string& key) const {
  return gguf_text(state_->file.get(), key);
}

std::optional<std::vector<std::int64_t>> GgufFile::find_integers(const std::string& key) const {
  return gguf_integers(state_->file.get(), key);
}

std::optional<std::size_t> GgufFile::array_size(const std::string& key) const {
  const std::int64_t id = state_->key(key);
  if (id < 0 || gguf_get_kv_type(state_->file.get(), id) != GGUF_TYPE_ARRAY) return std::nullopt;
  return gguf_get_arr_n(state_->file.get(), id);
}

const gguf_context* GgufFile::handle() const { return state_->file.get(); }
const std::string& GgufFile::name() const { return state_->name; }
const std::vector<StoredTensor>& GgufFile::tensors() const { return state_->tensors; }

const StoredTensor* GgufFile::find(std::string_view tensor) const {
  const auto found = state_->by_name.find(tensor);
  return found == state_->by_name.end() ? nullptr : &state_->tensors[found->second];
}

Status GgufFile::check_finite() const {
  for (const StoredTensor& tensor : state_->tensors) {
    if (!ggml_validate_row_data(row_of(tensor.type).ggml, tensor.bytes.data(),
                                tensor.bytes.size())) {
      return fail(ErrorCode::corrupt,
                  state_->name + ": tensor " + tensor.name + " holds NaN or infinite weights",
                  "Fetch or convert the model again.");
    }
  }
  return {};
}

}  // namespace understudy::lm
