// Sparse feature rows to a few dense coordinates: randomised truncated SVD (Halko, Martinsson,
// Tropp 2011, with power iterations), rows of U*S scaled to length 1. Eigen behind it. Pure: equal
// rows and seed give equal coordinates; one thread.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "adapters/cluster/matrix.hpp"

namespace understudy::cluster {

struct SvdOptions {
  std::size_t dimensions = 128;  // fewer come out when the rows have fewer
  int power_iterations = 2;
  std::uint64_t seed = 1;
};

// One dense row per sparse row; a row without entries is all zero, every other has length 1.
DenseRows truncated_svd(const std::vector<SparseRow>& rows, const SvdOptions& options);

// The right singular vectors: where rows that were not there when it was fitted lie.
class SvdBasis {
 public:
  SvdBasis() = default;
  SvdBasis(std::size_t dimensions, std::unordered_map<std::uint32_t, std::size_t> places,
           std::vector<float> vectors);
  // Coordinates as truncated_svd() gives them; columns that the fit did not see count nothing.
  [[nodiscard]] DenseRows project(const std::vector<SparseRow>& rows) const;

 private:
  std::size_t dimensions_ = 0;
  std::unordered_map<std::uint32_t, std::size_t> places_;  // column -> row of vectors_
  std::vector<float> vectors_;                             // places x dimensions
};

struct SvdFit {
  DenseRows rows;
  SvdBasis basis;
};
SvdFit fit_svd(const std::vector<SparseRow>& rows, const SvdOptions& options);

}  // namespace understudy::cluster
