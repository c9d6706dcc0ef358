// The frozen weights of a model, left as its file stores them and expanded a matrix at a time into
// the type that is computed in: a 4-bit base stays 4-bit in memory. Matrices that are stored in the
// computed type already are used where they lie in the mapped file. One thread calls.
#pragma once

#include "adapters/lm/gguf_file.hpp"
#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

class BaseWeights {
 public:
  // `file` must outlive this.
  BaseWeights(const lm::GgufFile& file, at::ScalarType type) : file_(file), type_(type) {}

  // rows x columns. Valid until the next call: all share one buffer.
  [[nodiscard]] at::Tensor matrix(const lm::StoredTensor& tensor);
  // Of its own, in the type of sums; undefined where the file has none of that name.
  [[nodiscard]] at::Tensor vector(const std::string& name) const;
  // tokens x columns: the rows of a table that the tokens (int64) name.
  [[nodiscard]] at::Tensor rows(const lm::StoredTensor& table, const at::Tensor& tokens) const;

  [[nodiscard]] const lm::GgufFile& file() const { return file_; }
  [[nodiscard]] at::ScalarType type() const { return type_; }

 private:
  const lm::GgufFile& file_;
  at::ScalarType type_;
  at::Tensor buffer_;
};

}  // namespace understudy::s5
