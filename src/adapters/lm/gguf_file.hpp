// Reads a GGUF model file without copying it: keys, and tensors as they are stored, memory-mapped;
// ggml expands their rows to f32. What does not hold together (truncated, a tensor behind the end,
// a shape that its bytes contradict) is an error at open. Immutable; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

struct gguf_context;

namespace understudy::lm {

// Keys of a file that was converted from a model directory (adapters/lm/hf): which one, and a hash
// of all that was read of it. They are of this machine: no copy of the file keeps them.
inline constexpr const char* source_directory_key = "understudy.source.directory";
inline constexpr const char* source_mark_key = "understudy.source.mark";
// Of a linear layer ("attn_k") whose weights in the file are Hugging Face's times a number. Copies
// of the file keep these.
inline std::string hf_factor_key(std::string_view module) {
  return "understudy.hf_factor." + std::string(module);
}

enum class StoredAs { f32, f16, bf16, q8_0, q6_k, q5_k, q4_k, q4_0 };
std::string_view to_string(StoredAs type);

// A row-major matrix of rows x columns; a vector has one row.
struct StoredTensor {
  std::string name = {};
  StoredAs type = StoredAs::f32;
  std::int64_t rows = 1;
  std::int64_t columns = 0;
  std::span<const std::byte> bytes = {};

  [[nodiscard]] std::size_t row_bytes() const {
    return bytes.size() / static_cast<std::size_t>(rows);
  }
};

// Rows [first, first + count) as f32, `columns` values each.
struct RowRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};
void expand_rows(const StoredTensor& tensor, const RowRange& range, float* out);
std::vector<float> expand(const StoredTensor& tensor);

// "NAME-00001-of-00003.gguf" -> the name of another of its files, numbered from 1. invalid_input
// where `first` is not named as the first of `count`.
Result<std::filesystem::path> part_of_model(const std::filesystem::path& first, std::int64_t number,
                                            std::int64_t count);

class GgufFile {
 public:
  // not_found, corrupt, unsupported (a tensor type that we cannot expand) name the file. Of a model
  // in several files it is the first; the others are found by their names.
  static Result<GgufFile> open(const std::filesystem::path& path);
  // The same of bytes in memory, which must outlive the result; `name` is for errors.
  static Result<GgufFile> parse(std::span<const std::byte> bytes, std::string name);
  ~GgufFile();
  GgufFile(GgufFile&&) noexcept;
  GgufFile& operator=(GgufFile&&) noexcept;

  // What was read of the file leaves memory; it is read again when asked for.
  void drop_pages() const;

  [[nodiscard]] bool has(const std::string& key) const;
  // Absent: no such key, or a value of another kind.
  [[nodiscard]] std::optional<std::int64_t> find_integer(const std::string& key) const;
  [[nodiscard]] std::optional<double> find_number(const std::string& key) const;
  [[nodiscard]] std::optional<bool> find_bool(const std::string& key) const;
  [[nodiscard]] std::optional<std::string> find_string(const std::string& key) const;
  // Of an array of 32-bit integers.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> find_integers(
      const std::string& key) const;
  [[nodiscard]] std::optional<std::size_t> array_size(const std::string& key) const;

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] const std::vector<StoredTensor>& tensors() const;
  [[nodiscard]] const StoredTensor* find(std::string_view tensor) const;
  // Reads every weight; corrupt names the first tensor with a NaN or an infinity.
  [[nodiscard]] Status check_finite() const;
  // For GgufCopy; owned by this.
  [[nodiscard]] const gguf_context* handle() const;

 private:
  struct State;
  explicit GgufFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::lm
