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
Sparse compact(const std::vector<SparseRow>& rows) {
  std::unordered_map<std::uint32_t, std::int64_t> places;
  std::vector<Eigen::Triplet<float, std::int64_t>> entries;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const Entry& entry : rows[i]) {
      const auto place = static_cast<std::int64_t>(places.size());
      const auto found = places.try_emplace(entry.column, place).first;
      entries.emplace_back(static_cast<std::int64_t>(i), found->second, entry.value);
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

}  // namespace

DenseRows truncated_svd(const std::vector<SparseRow>& rows, const SvdOptions& options) {
  if (rows.empty()) return {};
  const Sparse matrix = compact(rows);
  constexpr Eigen::Index oversampling = 10;
  const Eigen::Index rank_max = std::min(matrix.rows(), matrix.cols());
  const Eigen::Index wanted = std::min(static_cast<Eigen::Index>(options.dimensions), rank_max);
  const Eigen::Index sketch = std::min(wanted + oversampling, rank_max);

  Matrix range = orthonormal(matrix * gaussian(matrix.cols(), sketch, options.seed));
  for (int i = 0; i < options.power_iterations; ++i) {
    const Matrix back = orthonormal(matrix.transpose() * range);
    range = orthonormal(matrix * back);
  }
  // matrix ~ range * projected; the right singular vectors come from projected * projected^T, which
  // is small.
  const Matrix projected = (matrix.transpose() * range).transpose();
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(projected * projected.transpose());
  // Eigenvalues ascend: the last `wanted` columns are the largest. U*S = range * W * S.
  const Eigen::VectorXf scale =
      solver.eigenvalues().tail(wanted).cwiseMax(0.0F).cwiseSqrt().reverse();
  const Matrix coordinates =
      range * solver.eigenvectors().rightCols(wanted).rowwise().reverse() * scale.asDiagonal();

  DenseRows dense{.columns = static_cast<std::size_t>(wanted), .values = {}};
  dense.values.resize(rows.size() * dense.columns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = coordinates.row(static_cast<Eigen::Index>(i));
    const float length = row.norm();
    for (std::size_t j = 0; j < dense.columns && length > 1e-9F; ++j) {
      dense.values[i * dense.columns + j] = row(static_cast<Eigen::Index>(j)) / length;
    }
  }
  return dense;
}

}  // namespace understudy::cluster
