// The weights of a model. Frozen ones are left as its file stores them and expanded a matrix at a
// time into the type that is computed in: a 4-bit base stays 4-bit in memory. Matrices that are
// stored in the computed type already are used where they lie in the mapped file, or are packed
// for the products where memory allows. Where operations are composed, they are put on the device
// once and expanded there. In full fine-tuning they are the views of what is trained. One thread
// calls.
#pragma once

#include <memory>

#include "adapters/lm/gguf_file.hpp"
#include "steps/s5_tune/torch/full_weights.hpp"
#include "steps/s5_tune/torch/packed_matrices.hpp"
#include "steps/s5_tune/torch/resident_tensors.hpp"
#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

class BaseWeights {
 public:
  // `file` and `trained` (null: all is frozen) must outlive this.
  BaseWeights(const lm::GgufFile& file, const Computing& computing,
              const FullWeights* trained = nullptr)
      : file_(file), computing_(computing), trained_(trained) {
    if (computing.composed()) resident_ = std::make_shared<ResidentTensors>(computing);
  }
  // Frozen ones of the same file, packed for both directions if what they are called for can be.
  void pack_matrices() { packed_ = std::make_shared<PackedMatrices>(); }
  [[nodiscard]] bool packs() const { return packed_ != nullptr; }
  // The same without a buffer of its own yet; what is packed is shared. For another thread where
  // row kernels compute.
  [[nodiscard]] BaseWeights sibling() const;

  // rows x columns. Valid until the next call: all share one buffer.
  [[nodiscard]] at::Tensor matrix(const lm::StoredTensor& tensor);
  // Of a matrix whose products are asked for often; null: use matrix(). Valid as long as this.
  [[nodiscard]] const PackedMatrices::Matrix* packed(const lm::StoredTensor& tensor);
  // Of its own, or a view of what is trained; in the type of sums; undefined where the file has
  // none of that name.
  [[nodiscard]] at::Tensor vector(const std::string& name) const;
  // Whether matrix() has nothing to expand.
  [[nodiscard]] bool lies_there(const lm::StoredTensor& tensor) const;
  // tokens x columns: the rows of a table that the tokens (int64) name.
  [[nodiscard]] at::Tensor rows(const lm::StoredTensor& table, const at::Tensor& tokens) const;

  // rows x columns, to be added to; undefined where the tensor is frozen or absent.
  [[nodiscard]] at::Tensor gradient(const std::string& name) const;

  [[nodiscard]] const lm::GgufFile& file() const { return file_; }
  [[nodiscard]] const Computing& computing() const { return computing_; }
  [[nodiscard]] at::ScalarType type() const { return computing_.type; }
  // What expanded, packed and resident matrices take beside the file.
  [[nodiscard]] std::size_t buffer_bytes() const {
    return (buffer_.defined() ? buffer_.nbytes() : 0) + (packed_ ? packed_->bytes() : 0) +
           (resident_ ? resident_->bytes() : 0);
  }

 private:
  // Of the shared buffer.
  at::Tensor buffer_for(const lm::StoredTensor& tensor);
  at::Tensor expanded_there(const lm::StoredTensor& tensor);

  const lm::GgufFile& file_;
  Computing computing_;
  const FullWeights* trained_;
  at::Tensor buffer_;
  std::shared_ptr<PackedMatrices> packed_;     // null: nothing is
  std::shared_ptr<ResidentTensors> resident_;  // null: row kernels read the file
};

}  // namespace understudy::s5
