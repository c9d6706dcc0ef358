#include "steps/s5_tune/torch/products.hpp"

#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

namespace understudy::s5 {
namespace {

at::Tensor some(at::IntArrayRef sizes, at::ScalarType type) {
  return at::randn(sizes, at::TensorOptions(at::kDouble)).to(type);
}

// The largest deviation from a product in f64, of its largest value.
double deviation(const at::Tensor& found, const at::Tensor& wanted) {
  return found.to(at::kDouble).sub(wanted).abs().max().item<double>() /
         wanted.abs().max().item<double>();
}

at::Tensor exact(const at::Tensor& a, const at::Tensor& b) {
  return at::matmul(a.to(at::kDouble), b.to(at::kDouble));
}

class ProductsTest : public testing::TestWithParam<at::ScalarType> {
 protected:
  at::ScalarType type_ = GetParam();
  double tolerance_ = type_ == at::kBFloat16 ? 5e-3 : type_ == at::kFloat ? 1e-6 : 1e-14;
};

TEST_P(ProductsTest, OfMatricesInAnyOrder) {
  for (const std::int64_t rows : {1, 7, 64}) {
    const at::Tensor a = some({rows, 48}, type_);
    const at::Tensor b = some({48, 20}, type_);
    const at::Tensor wanted = exact(a, b);
    const at::Tensor turned_a = a.t().contiguous().t();
    const at::Tensor turned_b = b.t().contiguous().t();
    EXPECT_LT(deviation(product(a, b), wanted), tolerance_) << rows;
    EXPECT_LT(deviation(product(turned_a, b), wanted), tolerance_) << rows;
    EXPECT_LT(deviation(product(a, turned_b), wanted), tolerance_) << rows;
    EXPECT_LT(deviation(product(turned_a, turned_b, 0.25), wanted.mul(0.25)), tolerance_) << rows;
  }
}

TEST_P(ProductsTest, AreAddedInTheTypeOfSumsToColumnsOfMore) {
  const at::Tensor a = some({30, 16}, type_);
  const at::Tensor b = some({16, 24}, type_);
  for (const at::ScalarType to_type : {type_, sum_type(type_)}) {
    const at::Tensor all = some({30, 60}, to_type);
    const at::Tensor before = all.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
    put_product(all.narrow(1, 10, 24), a, b, {.scale = 0.5, .added = true});
    const at::Tensor wanted = before.clone();
    wanted.narrow(1, 10, 24).add_(exact(a, b), 0.5);
    EXPECT_LT(deviation(all, wanted), tolerance_) << toString(to_type);
    EXPECT_TRUE(all.narrow(1, 0, 10).equal(before.narrow(1, 0, 10).to(to_type)))
        << "its neighbours";
    EXPECT_TRUE(all.narrow(1, 34, 26).equal(before.narrow(1, 34, 26).to(to_type)));
  }
}

TEST_P(ProductsTest, OfABatchThatSharesAFactor) {
  const at::Tensor rows = some({10, 2 * 3 * 8}, type_);  // tokens x heads * width
  const at::Tensor keys = some({12, 2 * 8}, type_);
  const at::Tensor by_head = rows.view({10, 2, 3, 8}).permute({1, 2, 0, 3});
  const at::Tensor shared = keys.view({12, 2, 1, 8}).permute({1, 2, 0, 3});
  const at::Tensor scores = at::empty({2, 3, 10, 12}, type_);
  multiply(MatrixView::of(by_head), MatrixView::of(shared).transposed(), MatrixView::of(scores));
  EXPECT_LT(deviation(scores, exact(by_head, shared.transpose(2, 3))), tolerance_);
  const at::Tensor back = at::empty_like(rows);  // into rows whose heads lie side by side
  multiply(MatrixView::of(scores), MatrixView::of(shared),
           MatrixView::of(back.view({10, 2, 3, 8}).permute({1, 2, 0, 3})));
  EXPECT_LT(deviation(back.view({10, 2, 3, 8}).permute({1, 2, 0, 3}), exact(scores, shared)),
            tolerance_);
}

INSTANTIATE_TEST_SUITE_P(Types, ProductsTest,
                         testing::Values(at::kFloat, at::kDouble, at::kBFloat16),
                         [](const auto& type) { return std::string(toString(type.param)); });

TEST(Products, WithAPackedMatrixGiveTheSameBits) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    if (!multiplies_directly(type)) continue;
    const at::Tensor matrix = some({96, 70}, type);
    const PackedMatrix forward(matrix.t());
    const PackedMatrix back(matrix);
    for (const std::int64_t rows : {2, 33, 600}) {
      const at::Tensor x = some({rows, 70}, type);
      const at::Tensor dy = some({rows, 96}, type);
      EXPECT_TRUE(product(x, forward).equal(product(x, matrix.t()))) << rows;
      const at::Tensor dx = some({rows, 70}, type);
      const at::Tensor plain = dx.clone();
      put_product(dx, dy, back, {.added = true});
      put_product(plain, dy, matrix, {.added = true});
      EXPECT_TRUE(dx.equal(plain)) << rows;
    }
  }
}

TEST(Products, OfEachThreadAreItsOwn) {
  const at::Tensor a = some({40, 32}, at::kFloat);
  const at::Tensor b = some({32, 24}, at::kFloat);
  const at::Tensor wanted = product(a, b);
  at::Tensor others[3];
  {
    std::vector<std::jthread> threads;
    for (at::Tensor& other : others) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) other = product(a, b);
      });
    }
  }
  for (const at::Tensor& other : others) EXPECT_TRUE(other.equal(wanted));
}

TEST(Products, AreSeenByTheThreadsObserver) {
  const at::Tensor a = some({5, 4}, at::kFloat);
  const at::Tensor b = some({4, 3}, at::kFloat);
  std::vector<std::string> seen;
  observe_products([&](const MatrixView& from, const MatrixView& to, double seconds) {
    seen.push_back(std::to_string(from.sizes[1]) + " to " + std::to_string(to.sizes[1]));
    EXPECT_GT(seconds, 0);
  });
  const at::Tensor to = at::empty({5, 3}, at::kFloat);
  put_product(to, a, b);
  put_product(to, a, PackedMatrix(b));
  std::jthread([&] { put_product(to, a, b); }).join();
  observe_products({});
  put_product(to, a, b);
  EXPECT_THAT(seen, testing::ElementsAre("4 to 3", "4 to 3"));
}

// More shapes than are kept.
TEST(Products, OfManyShapes) {
  const at::Tensor a = some({600, 4}, at::kFloat);
  const at::Tensor b = some({4, 3}, at::kFloat);
  const at::Tensor wanted = product(a, b);
  for (std::int64_t rows = 1; rows <= 600; ++rows) {
    ASSERT_TRUE(product(a.narrow(0, 0, rows), b).allclose(wanted.narrow(0, 0, rows), 1e-6, 1e-6));
  }
}

}  // namespace
}  // namespace understudy::s5
