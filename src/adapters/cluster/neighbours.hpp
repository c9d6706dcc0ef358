// k nearest neighbours by cosine, without neighbours of the same group: calls of one session
// resemble each other because of their content, and a graph over them would find episodes instead
// of tasks (+24 NMI on Who&When when they are left out). FAISS behind it; exact search below
// limits::neighbours_exact_rows_max rows, an inverted file above. Deterministic.
#pragma once

#include <cstdint>
#include <vector>

#include "adapters/cluster/matrix.hpp"
#include "base/result.hpp"

namespace understudy::cluster {

struct Edge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  float weight = 0;  // cosine, above zero
};

struct NeighbourOptions {
  std::size_t neighbours = 15;
  float similarity_min = 0.05F;
};

// Rows must have length 1. `groups` is one label per row, or empty: rows of equal label are never
// neighbours. Each undirected edge comes once, from < to.
Result<std::vector<Edge>> nearest_neighbours(const DenseRows& rows,
                                             const std::vector<std::uint32_t>& groups,
                                             const NeighbourOptions& options);

}  // namespace understudy::cluster
