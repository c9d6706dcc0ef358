#include "adapters/cluster/neighbours.hpp"

#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>
#include <numeric>

#include "base/check.hpp"
#include "base/limits.hpp"

namespace understudy::cluster {

namespace {

class Search {
 public:
  explicit Search(const DenseRows& rows) : rows_(rows) {
    const auto columns = static_cast<faiss::idx_t>(rows.columns);
    if (rows.rows() <= limits::neighbours_exact_rows_max) {
      index_ = std::make_unique<faiss::IndexFlatIP>(columns);
    } else {
      const auto lists = static_cast<std::size_t>(std::sqrt(static_cast<double>(rows.rows())));
      quantizer_ = std::make_unique<faiss::IndexFlatIP>(columns);
      auto inverted = std::make_unique<faiss::IndexIVFFlat>(quantizer_.get(), rows.columns, lists,
                                                            faiss::METRIC_INNER_PRODUCT);
      inverted->nprobe = 16;
      inverted->cp.niter = 10;
      inverted->train(static_cast<faiss::idx_t>(rows.rows()), rows.values.data());
      index_ = std::move(inverted);
    }
    index_->add(static_cast<faiss::idx_t>(rows.rows()), rows.values.data());
  }

  // The `count` nearest of each queried row, as it would come from one search.
  void find(const std::vector<std::uint32_t>& queries, std::size_t count) {
    std::vector<float> vectors;
    vectors.reserve(queries.size() * rows_.columns);
    for (const std::uint32_t query : queries) vectors.append_range(rows_.row(query));
    count_ = count;
    similarities.resize(queries.size() * count);
    labels.resize(queries.size() * count);
    index_->search(static_cast<faiss::idx_t>(queries.size()), vectors.data(),
                   static_cast<faiss::idx_t>(count), similarities.data(), labels.data());
  }
  [[nodiscard]] std::size_t count() const { return count_; }

  std::vector<float> similarities;
  std::vector<faiss::idx_t> labels;

 private:
  const DenseRows& rows_;
  std::unique_ptr<faiss::Index> quantizer_;
  std::unique_ptr<faiss::Index> index_;
  std::size_t count_ = 0;
};

std::vector<Edge> search_all(const DenseRows& rows, const std::vector<std::uint32_t>& groups,
                             const NeighbourOptions& options) {
  Search search(rows);
  std::vector<Edge> edges;
  std::vector<std::uint32_t> open(rows.rows());
  std::ranges::iota(open, 0U);
  // Rows whose nearest are all of their own group ask again for more.
  for (std::size_t count = 2 * options.neighbours + 1; !open.empty(); count *= 4) {
    const std::size_t asked = std::min({count, rows.rows(), limits::neighbours_asked_max});
    const bool last = asked < count;
    search.find(open, asked);
    std::vector<std::uint32_t> again;
    for (std::size_t q = 0; q < open.size(); ++q) {
      const std::uint32_t row = open[q];
      std::vector<Edge> found;
      for (std::size_t i = q * asked; i < (q + 1) * asked; ++i) {
        if (search.labels[i] < 0 || found.size() == options.neighbours) break;
        const auto other = static_cast<std::uint32_t>(search.labels[i]);
        if (other == row || (!groups.empty() && groups[other] == groups[row])) continue;
        if (search.similarities[i] < options.similarity_min) break;
        found.push_back({.from = std::min(row, other),
                         .to = std::max(row, other),
                         .weight = search.similarities[i]});
      }
      const bool dry = search.similarities[(q + 1) * asked - 1] < options.similarity_min;
      if (found.size() < options.neighbours && !last && !dry) {
        again.push_back(row);
      } else {
        edges.append_range(found);
      }
    }
    open = std::move(again);
  }
  return edges;
}

}  // namespace

Result<std::vector<Edge>> nearest_neighbours(const DenseRows& rows,
                                             const std::vector<std::uint32_t>& groups,
                                             const NeighbourOptions& options) {
  CHECK(groups.empty() || groups.size() == rows.rows(), "one group label per row");
  if (rows.rows() < 2) return std::vector<Edge>{};
  try {
    std::vector<Edge> edges = search_all(rows, groups, options);
    std::ranges::sort(edges, {}, [](const Edge& edge) { return std::pair(edge.from, edge.to); });
    const auto repeated = std::ranges::unique(
        edges, {}, [](const Edge& edge) { return std::pair(edge.from, edge.to); });
    edges.erase(repeated.begin(), repeated.end());
    return edges;
  } catch (const std::exception& error) {
    return fail(ErrorCode::internal, std::string("nearest-neighbour search: ") + error.what());
  }
}

}  // namespace understudy::cluster
