#include "steps/s5_tune/torch/packed_matrices.hpp"

namespace understudy::s5 {

const PackedMatrices::Matrix& PackedMatrices::pack(const std::string& name,
                                                   const at::Tensor& matrix) {
  if (const auto known = matrices_.find(name); known != matrices_.end()) return known->second;
  const Matrix& packed =
      matrices_
          .emplace(name, Matrix{.forward = PackedMatrix(matrix.t()), .back = PackedMatrix(matrix)})
          .first->second;
  bytes_ += packed.forward.bytes() + packed.back.bytes();
  return packed;
}

}  // namespace understudy::s5
