// Sparse feature rows to a few dense coordinates: randomised truncated SVD (Halko, Martinsson,
// Tropp 2011, with power iterations), rows of U*S scaled to length 1. Eigen behind it. Pure: equal
// rows and seed give equal coordinates; one thread.
#pragma once

#include <cstdint>
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

}  // namespace understudy::cluster
