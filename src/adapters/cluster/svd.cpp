#include "adapters/cluster/svd.hpp"

#include <Eigen/Dense>
#include <Eigen/SparseCore>
#include <algorithm>
#include <random>
#include <unordered_map>

namespace understudy::cluster {

namespace {

using Matrix = Eigen::MatrixXf;
using Sparse = Eigen::SparseMatrix<float, Eigen::RowMajor, std::int64_t>;

// Hashed columns are mostly empty: only the used ones get a place, so that the random matrix stays
// small.
using Places = std::unordered_map<std::uint32_t, std::size_t>;

Sparse compact(const std::vector<SparseRow>& rows, Places& places) {
  std::vector<Eigen::Triplet<float, std::int64_t>> entries;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const Entry& entry : rows[i]) {
      const auto found = places.try_emplace(entry.column, places.size()).first;
      entries.emplace_back(static_cast<std::int64_t>(i), static_cast<std::int64_t>(found->second),
                           entry.value);
    }
  }
  Sparse matrix(static_cast<Eigen::Index>(rows.size()),
                std::max<Eigen::Index>(1, static_cast<Eigen::Index>(places.size())));
  matrix.setFromTriplets(entries.begin(), entries.end());
  return matrix;
}

Matrix orthonormal(const Matrix& matrix) {
  const Eigen::HouseholderQR<Matrix> factors(matrix);
  return factors.householderQ() * Matrix::Identity(matrix.rows(), matrix.cols());
}

Matrix gaussian(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Matrix matrix(rows, columns);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = normal(random);
  return matrix;
}

DenseRows of_unit_length(DenseRows rows) {
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    Eigen::Map<Eigen::VectorXf> row(rows.values.data() + i * rows.columns,
                                    static_cast<Eigen::Index>(rows.columns));
    const float length = row.norm();
    if (length > 1e-9F) {
      row /= length;
    } else {
      row.setZero();
    }
  }
  return rows;
}

// Row-major values of a matrix, which Eigen keeps column-major.
std::vector<float> row_major(const Matrix& matrix) {
  std::vector<float> values(static_cast<std::size_t>(matrix.size()));
  Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
      values.data(), matrix.rows(), matrix.cols()) = matrix;
  return values;
}

struct Factors {
  Matrix left;            // U
  Eigen::VectorXf scale;  // S
};

Factors factors_of(const Sparse& matrix, const SvdOptions& options) {
  constexpr Eigen::Index oversampling = 10;
  const Eigen::Index rank_max = std::min(matrix.rows(), matrix.cols());
  const Eigen::Index wanted = std::min(static_cast<Eigen::Index>(options.dimensions), rank_max);
  const Eigen::Index sketch = std::min(wanted + oversampling, rank_max);

  Matrix range = orthonormal(matrix * gaussian(matrix.cols(), sketch, options.seed));
  for (int i = 0; i < options.power_iterations; ++i) {
    const Matrix back = orthonormal(matrix.transpose() * range);
    range = orthonormal(matrix * back);
  }
  // matrix ~ range * projected; the left singular vectors come from projected * projected^T, which
  // is small.
  const Matrix projected = (matrix.transpose() * range).transpose();
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(projected * projected.transpose());
  // Eigenvalues ascend: the last `wanted` columns are the largest.
  return {.left = range * solver.eigenvectors().rightCols(wanted).rowwise().reverse(),
          .scale = solver.eigenvalues().tail(wanted).cwiseMax(0.0F).cwiseSqrt().reverse()};
}

DenseRows coordinates_of(const Factors& factors) {
  return of_unit_length({.columns = static_cast<std::size_t>(factors.scale.size()),
                         .values = row_major(factors.left * factors.scale.asDiagonal())});
}

}  // namespace

DenseRows truncated_svd(const std::vector<SparseRow>& rows, const SvdOptions& options) {
  if (rows.empty()) return {};
  Places places;
  return coordinates_of(factors_of(compact(rows, places), options));
}

SvdFit fit_svd(const std::vector<SparseRow>& rows, const SvdOptions& options) {
  if (rows.empty()) return {};
  Places places;
  const Sparse matrix = compact(rows, places);
  const Factors factors = factors_of(matrix, options);
  // A = U S V^T, so V = A^T U / S, and a row a of A has the coordinates U S = a V.
  const Eigen::VectorXf inverse =
      factors.scale.unaryExpr([](float value) { return value > 1e-6F ? 1.0F / value : 0.0F; });
  const Matrix right = matrix.transpose() * factors.left * inverse.asDiagonal();
  return {.rows = coordinates_of(factors),
          .basis = SvdBasis(static_cast<std::size_t>(factors.scale.size()), std::move(places),
                            row_major(right))};
}

SvdBasis::SvdBasis(std::size_t dimensions, std::unordered_map<std::uint32_t, std::size_t> places,
                   std::vector<float> vectors)
    : dimensions_(dimensions), places_(std::move(places)), vectors_(std::move(vectors)) {}

DenseRows SvdBasis::project(const std::vector<SparseRow>& rows) const {
  DenseRows dense{.columns = dimensions_, .values = std::vector<float>(rows.size() * dimensions_)};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    float* row = dense.values.data() + i * dimensions_;
    for (const Entry& entry : rows[i]) {
      const auto place = places_.find(entry.column);
      if (place == places_.end()) continue;
      const float* vector = vectors_.data() + place->second * dimensions_;
      for (std::size_t j = 0; j < dimensions_; ++j) row[j] += entry.value * vector[j];
    }
  }
  return of_unit_length(std::move(dense));
}

}  // namespace understudy::cluster
