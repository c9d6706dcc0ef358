#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "adapters/cluster/leiden.hpp"
#include "adapters/cluster/neighbours.hpp"
#include "adapters/cluster/svd.hpp"

namespace understudy::cluster {
namespace {

// Three kinds of rows, each over ten columns of its own.
std::vector<SparseRow> three_kinds(std::size_t count) {
  std::mt19937 random(7);
  std::vector<SparseRow> rows(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::uint32_t j = 0; j < 10; ++j) {
      if (random() % 3 == 0) continue;
      rows[i].push_back({.column = static_cast<std::uint32_t>(i % 3) * 1000 + j, .value = 1.0F});
    }
  }
  return rows;
}

float cosine(std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

TEST(TruncatedSvd, KeepsKindsTogetherAndApart) {
  const DenseRows dense = truncated_svd(three_kinds(60), {.dimensions = 3});
  ASSERT_EQ(dense.rows(), 60U);
  EXPECT_GT(cosine(dense.row(0), dense.row(3)), 0.8F);
  EXPECT_LT(std::abs(cosine(dense.row(0), dense.row(1))), 0.2F);
  EXPECT_NEAR(cosine(dense.row(5), dense.row(5)), 1.0F, 1e-4F);
}

TEST(TruncatedSvd, PreservesInnerProductsAtFullRank) {
  std::vector<SparseRow> rows = {{{.column = 1, .value = 1.0F}, {.column = 9, .value = 1.0F}},
                                 {{.column = 1, .value = 1.0F}},
                                 {},
                                 {{.column = 4, .value = 2.0F}}};
  const DenseRows dense = truncated_svd(rows, {.dimensions = 16});
  EXPECT_NEAR(cosine(dense.row(0), dense.row(1)), std::sqrt(0.5F), 1e-3F);
  EXPECT_NEAR(cosine(dense.row(2), dense.row(2)), 0.0F, 1e-6F);
  EXPECT_NEAR(cosine(dense.row(0), dense.row(3)), 0.0F, 1e-3F);
}

TEST(SvdBasis, PlacesTheRowsOfItsFitWhereTheFitDid) {
  const std::vector<SparseRow> rows = three_kinds(60);
  const SvdFit fit = fit_svd(rows, {.dimensions = 3});
  const DenseRows again = fit.basis.project(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].empty()) {
      EXPECT_NEAR(cosine(fit.rows.row(i), again.row(i)), 1.0F, 0.01F);
    }
  }
  const DenseRows unseen = fit.basis.project({{{.column = 77'777, .value = 1.0F}}});
  EXPECT_NEAR(cosine(unseen.row(0), unseen.row(0)), 0.0F, 1e-6F);
}

TEST(NearestNeighbours, LeavesOutRowsOfTheSameGroup) {
  const DenseRows dense = truncated_svd(three_kinds(60), {.dimensions = 3});
  std::vector<std::uint32_t> groups(60);
  for (std::uint32_t i = 0; i < 60; ++i) groups[i] = i / 12;
  const auto edges = nearest_neighbours(dense, groups, {.neighbours = 5});
  ASSERT_TRUE(edges.has_value());
  EXPECT_FALSE(edges->empty());
  for (const Edge& edge : *edges) {
    EXPECT_LT(edge.from, edge.to);
    EXPECT_NE(groups[edge.from], groups[edge.to]);
  }
}

TEST(NearestNeighbours, FindsOthersBehindACrowdOfItsOwnGroup) {
  // 200 equal rows of one group and one row of another: it must still be found.
  DenseRows dense{.columns = 2, .values = {}};
  std::vector<std::uint32_t> groups;
  for (int i = 0; i < 200; ++i) {
    dense.values.append_range(std::vector{1.0F, 0.0F});
    groups.push_back(0);
  }
  dense.values.append_range(std::vector{0.8F, 0.6F});
  groups.push_back(1);
  const auto edges = nearest_neighbours(dense, groups, {.neighbours = 3});
  ASSERT_TRUE(edges.has_value());
  EXPECT_EQ(edges->size(), 200U);
}

TEST(Leiden, FindsTheKindsAndIsDeterministic) {
  const DenseRows dense = truncated_svd(three_kinds(90), {.dimensions = 3});
  const auto edges = nearest_neighbours(dense, {}, {.neighbours = 8, .similarity_min = 0.3F});
  ASSERT_TRUE(edges.has_value());
  const auto first = leiden(90, *edges, {.resolution = 0.5, .seed = 3});
  const auto second = leiden(90, *edges, {.resolution = 0.5, .seed = 3});
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(*first, *second);
  for (std::size_t i = 3; i < 90; ++i) EXPECT_NE((*first)[i], (*first)[(i + 1) % 3]);
  EXPECT_EQ(std::set<std::uint32_t>(first->begin(), first->end()).size(), 3U);
}

TEST(Leiden, NodesWithoutEdgesStayAlone) {
  const auto alone = leiden(4, {}, {});
  ASSERT_TRUE(alone.has_value());
  EXPECT_EQ(std::set<std::uint32_t>(alone->begin(), alone->end()).size(), 4U);
}

}  // namespace
}  // namespace understudy::cluster
