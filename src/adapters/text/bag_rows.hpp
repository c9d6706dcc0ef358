// The row arithmetic of BagNetwork, written so that compilers turn it into vector instructions.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace understudy::text {

inline std::span<const float> row_of(const std::vector<float>& matrix, std::size_t row,
                                     std::size_t columns) {
  return std::span(matrix).subspan(row * columns, columns);
}
inline std::span<float> row_of(std::vector<float>& matrix, std::size_t row, std::size_t columns) {
  return std::span(matrix).subspan(row * columns, columns);
}

inline void add_scaled(float factor, std::span<const float> row, std::span<float> sum) {
  const float* from = row.data();
  float* to = sum.data();
  for (std::size_t i = 0; i < row.size(); ++i) to[i] += factor * from[i];
}

inline float product(std::span<const float> left, std::span<const float> right) {
  const float* a = left.data();
  const float* b = right.data();
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < left.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Of the root mean square; an empty text's is finite, too.
inline float inverse_rms(std::span<const float> row) {
  constexpr float floor = 1e-6F;
  return 1 / std::sqrt(product(row, row) / static_cast<float>(row.size()) + floor);
}

}  // namespace understudy::text
