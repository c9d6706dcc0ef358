// Puts a GGUF file together by ggml's gguf.h: keys, a vocabulary, tensors in any type that we read,
// quantised by ggml. For models that we make ourselves or convert, adapters, and the models of
// tests. One thread; keeps what it is given until write(), where tensors that are added later are
// fetched one at a time, so that a model need not fit into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/lm/gguf_file.hpp"
#include "adapters/lm/tokenizer_fit.hpp"
#include "base/result.hpp"

namespace understudy::lm {

struct TensorToStore {
  std::string name;
  std::int64_t rows = 1;  // 1: a vector
  std::int64_t columns = 0;
  StoredAs type = StoredAs::f32;
};

// A tensor's bytes as its type stores them.
using TensorBytes = std::function<std::vector<std::byte>()>;
// Its values so, rounded or quantised; `columns` is a multiple of the type's block.
std::vector<std::byte> stored_bytes(const TensorToStore& tensor, std::span<const float> values);

class GgufBuilder {
 public:
  GgufBuilder();
  ~GgufBuilder();
  GgufBuilder(GgufBuilder&&) noexcept;
  GgufBuilder& operator=(GgufBuilder&&) noexcept;

  void set(const std::string& key, const std::string& value);
  void set(const std::string& key, const char* value);
  void set(const std::string& key, std::uint32_t value);
  void set(const std::string& key, std::uint16_t value);
  void set(const std::string& key, float value);
  void set(const std::string& key, bool value);
  void set(const std::string& key, const std::vector<std::int32_t>& values);
  void set(const std::string& key, const std::vector<float>& values);
  void set(const std::string& key, const std::vector<std::string>& values);
  void set_vocabulary(const TokenTable& tokens);  // of the kind that sentencepiece makes
  // Copies and quantises. `columns` is a multiple of the type's block.
  void add(const TensorToStore& tensor, std::span<const float> values);
  // Fetched in write(). `columns` as above.
  void add_later(const TensorToStore& tensor, TensorBytes bytes);
  // Called in write() behind each tensor with the bytes written of it.
  void on_written(std::function<void(std::size_t)> tell);

  // Not atomic: the caller writes into a fresh directory, or renames. exhausted names the path.
  [[nodiscard]] Status write(const std::filesystem::path& path) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::lm
