// Frozen matrices in the order in which oneDNN multiplies by them, once for each direction: a
// product that takes a plain matrix puts it into that order first, every time, which costs a
// twentieth of it and more where few rows meet a matrix. The results are the same bits. Takes twice
// the memory of what is packed. Packed by one thread; then const and used by any.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

class PackedMatrices {
 public:
  struct Matrix {
    at::Tensor forward, back;  // W and its transpose, opaque
  };

  // What is packed stays so. `matrix`: rows x columns, BF16. Without oneDNN nothing is packed.
  const Matrix* pack(const std::string& name, const at::Tensor& matrix);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::map<std::string, Matrix> matrices_;
  std::size_t bytes_ = 0;
};

// x W', where `packed` is W (forward), or x W, where it is its transpose (back).
at::Tensor packed_product(const at::Tensor& x, const at::Tensor& packed);
// The same, added to `sum`, in a tensor of its own.
at::Tensor packed_product_added(const at::Tensor& sum, const at::Tensor& x,
                                const at::Tensor& packed);

}  // namespace understudy::s5
