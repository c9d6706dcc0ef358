#include "adapters/cluster/leiden.hpp"

#include <igraph/igraph.h>

#include <string>

namespace understudy::cluster {

namespace {

// igraph objects end with their scope.
struct IntVector {
  explicit IntVector(std::size_t size) {
    igraph_vector_int_init(&raw, static_cast<igraph_int_t>(size));
  }
  ~IntVector() { igraph_vector_int_destroy(&raw); }
  IntVector(const IntVector&) = delete;
  IntVector& operator=(const IntVector&) = delete;
  igraph_vector_int_t raw{};
};

struct RealVector {
  explicit RealVector(std::size_t size) {
    igraph_vector_init(&raw, static_cast<igraph_int_t>(size));
  }
  ~RealVector() { igraph_vector_destroy(&raw); }
  RealVector(const RealVector&) = delete;
  RealVector& operator=(const RealVector&) = delete;
  igraph_vector_t raw{};
};

// Leiden draws from igraph's default generator; for the time of a call that is this seeded one.
class SeededGenerator {
 public:
  explicit SeededGenerator(std::uint64_t seed) {
    igraph_rng_init(&generator_, &igraph_rngtype_mt19937);
    igraph_rng_seed(&generator_, static_cast<igraph_uint_t>(seed));
    before_ = igraph_rng_set_default(&generator_);
  }
  ~SeededGenerator() {
    igraph_rng_set_default(before_);
    igraph_rng_destroy(&generator_);
  }
  SeededGenerator(const SeededGenerator&) = delete;
  SeededGenerator& operator=(const SeededGenerator&) = delete;

 private:
  igraph_rng_t generator_{};
  igraph_rng_t* before_ = nullptr;
};

struct Graph {
  igraph_t raw{};
  bool made = false;
  ~Graph() {
    if (made) igraph_destroy(&raw);
  }
};

std::unexpected<Error> failure(igraph_error_t code) {
  return fail(ErrorCode::internal, std::string("graph clustering: ") + igraph_strerror(code));
}

}  // namespace

Result<std::vector<std::uint32_t>> leiden(std::size_t nodes, const std::vector<Edge>& edges,
                                          const LeidenOptions& options) {
  if (nodes == 0) return std::vector<std::uint32_t>{};
  // The default handler aborts the program; an error code is what a Result can carry.
  igraph_error_handler_t* handler = igraph_set_error_handler(igraph_error_handler_ignore);
  const SeededGenerator generator(options.seed);
  IntVector ends(2 * edges.size());
  RealVector weights(edges.size());
  for (std::size_t i = 0; i < edges.size(); ++i) {
    VECTOR(ends.raw)[2 * i] = edges[i].from;
    VECTOR(ends.raw)[2 * i + 1] = edges[i].to;
    VECTOR(weights.raw)[i] = static_cast<igraph_real_t>(edges[i].weight);
  }
  Graph graph;
  IntVector membership(0);
  igraph_error_t code =
      igraph_create(&graph.raw, &ends.raw, static_cast<igraph_int_t>(nodes), IGRAPH_UNDIRECTED);
  graph.made = code == IGRAPH_SUCCESS;
  if (graph.made && !edges.empty()) {
    constexpr double beta = 0.01;  // randomness of the refinement, igraph's advice
    constexpr igraph_int_t until_stable = -1;
    code = igraph_community_leiden_simple(
        &graph.raw, &weights.raw, IGRAPH_LEIDEN_OBJECTIVE_MODULARITY, options.resolution, beta,
        false, until_stable, &membership.raw, nullptr, nullptr);
  }
  igraph_set_error_handler(handler);
  if (code != IGRAPH_SUCCESS) return failure(code);

  std::vector<std::uint32_t> communities(nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    communities[i] = edges.empty() ? static_cast<std::uint32_t>(i)
                                   : static_cast<std::uint32_t>(VECTOR(membership.raw)[i]);
  }
  return communities;
}

}  // namespace understudy::cluster
