// Communities of a weighted graph by the Leiden algorithm (Traag et al. 2019), modularity with a
// resolution. igraph behind it, with a random number generator of its own, so that equal input and
// seed give equal communities.
#pragma once

#include <cstdint>
#include <vector>

#include "adapters/cluster/neighbours.hpp"
#include "base/result.hpp"

namespace understudy::cluster {

struct LeidenOptions {
  double resolution = 1.0;  // higher: more and smaller communities
  std::uint64_t seed = 1;
};

// One community number per node, counted from 0; a node without edges is a community of its own.
Result<std::vector<std::uint32_t>> leiden(std::size_t nodes, const std::vector<Edge>& edges,
                                          const LeidenOptions& options);

}  // namespace understudy::cluster
