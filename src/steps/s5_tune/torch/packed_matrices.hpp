// Frozen matrices packed for products (see PackedMatrix), once for each direction. The results are
// the same bits as those of plain ones. Takes twice the memory of what is packed. Packed by one
// thread; then const and used by any.
#pragma once

#include <map>
#include <string>

#include "steps/s5_tune/torch/products.hpp"

namespace understudy::s5 {

class PackedMatrices {
 public:
  struct Matrix {
    PackedMatrix forward;  // x W'
    PackedMatrix back;     // dy W
  };

  // What is packed stays so. `matrix`: rows x columns, BF16.
  const Matrix& pack(const std::string& name, const at::Tensor& matrix);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::map<std::string, Matrix> matrices_;
  std::size_t bytes_ = 0;
};

}  // namespace understudy::s5
