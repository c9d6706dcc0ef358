#include "steps/s5_tune/torch/softmax_kernels.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace understudy::s5 {
namespace {

template <class Value>
class SoftmaxKernels : public testing::Test {
 protected:
  // A little more than the type rounds values below 1 by.
  static constexpr double noise = std::is_same_v<Value, c10::BFloat16> ? 4e-3
                                  : std::is_same_v<Value, float>       ? 1e-6
                                                                       : 1e-12;

  // Of exactly as many values: an address sanitizer sees who goes past them.
  static std::unique_ptr<Value[]> values(std::int64_t count, double (*of)(double)) {
    std::unique_ptr<Value[]> made(new Value[static_cast<std::size_t>(count)]);
    for (std::int64_t i = 0; i < count; ++i)
      made[static_cast<std::size_t>(i)] =
          Value(static_cast<SumOf<Value>>(of(static_cast<double>(i))));
    return made;
  }
};

using Values = testing::Types<float, double, c10::BFloat16>;
TYPED_TEST_SUITE(SoftmaxKernels, Values);

double capped(double score, const ScoreRows& shape) {
  const double scaled = score * shape.scale;
  return shape.cap > 0 ? shape.cap * std::tanh(scaled / shape.cap) : scaled;
}

// Every number of keys around whole vectors, every place of the window in them.
std::vector<ScoreRows> some_shapes() {
  std::vector<ScoreRows> shapes;
  for (const std::int64_t keys : {1, 2, 7, 15, 16, 17, 31, 33, 40, 100}) {
    for (const std::int64_t queries : {1, 3}) {
      for (const std::int64_t window : {0, 1, 5, 18}) {
        for (const double cap : {0.0, 3.0}) {
          if (queries > keys) continue;
          shapes.push_back({.rows = 2 * queries,
                            .keys = keys,
                            .queries = queries,
                            .first = keys - queries,
                            .window = window,
                            .scale = 0.5,
                            .cap = cap});
        }
      }
    }
  }
  return shapes;
}

TYPED_TEST(SoftmaxKernels, GiveProbabilitiesOfWhatAQuerySeesAndTheirGradients) {
  using Sum = SumOf<TypeParam>;
  for (const ScoreRows& shape : some_shapes()) {
    SCOPED_TRACE(std::to_string(shape.keys) + " keys, window " + std::to_string(shape.window) +
                 ", cap " + std::to_string(shape.cap));
    const std::int64_t count = shape.rows * shape.keys;
    const auto scores = this->values(count, [](double i) { return std::sin(i); });
    const auto again = this->values(count, [](double i) { return std::sin(i); });
    const auto given = this->values(count, [](double i) { return std::cos(i); });
    const auto back = this->values(count, [](double i) { return std::cos(i); });
    std::vector<Sum> log_sums(static_cast<std::size_t>(2 * shape.keys));
    const std::vector<Sum> deltas(log_sums.size(), static_cast<Sum>(0.1));
    const auto before = this->values(count, [](double i) { return std::sin(i); });
    softmax_rows<TypeParam>(shape, scores.get(), log_sums.data(), shape.keys);
    softmax_rows_backward<TypeParam>(shape, again.get(), back.get(), log_sums.data(), deltas.data(),
                                     shape.keys);
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      const std::int64_t query = shape.first + r % shape.queries;
      const auto is_seen = [&](std::int64_t key) {
        return key <= query && (shape.window == 0 || key > query - shape.window);
      };
      const auto at = [&](std::int64_t key) {
        return static_cast<std::size_t>(r * shape.keys + key);
      };
      const auto score = [&](std::int64_t key) {
        return capped(static_cast<double>(before[at(key)]), shape);
      };
      double sum = 0;
      for (std::int64_t key = 0; key < shape.keys; ++key)
        if (is_seen(key)) sum += std::exp(score(key));
      const auto place = static_cast<std::size_t>(r / shape.queries * shape.keys + query);
      ASSERT_NEAR(log_sums[place], std::log(sum), 1e-5);
      for (std::int64_t key = 0; key < shape.keys; ++key) {
        const double p = is_seen(key) ? std::exp(score(key)) / sum : 0;
        const double t = shape.cap > 0 ? score(key) / shape.cap : 0;
        const double slope =
            p * (static_cast<double>(given[at(key)]) - 0.1) * shape.scale * (1 - t * t);
        ASSERT_NEAR(static_cast<double>(scores[at(key)]), p, is_seen(key) ? this->noise : 0);
        ASSERT_NEAR(static_cast<double>(again[at(key)]), p, is_seen(key) ? this->noise : 0);
        ASSERT_NEAR(static_cast<double>(back[at(key)]), slope, is_seen(key) ? this->noise : 0);
      }
    }
  }
}

// Of logits that are all far below 0, where what lies behind a row's end must not count.
TYPED_TEST(SoftmaxKernels, GiveTheLossOfRowsOfAnyWidth) {
  for (const std::int64_t width : {1, 5, 16, 19, 70}) {
    const auto low = [](double i) { return -5 - std::sin(i); };
    const auto logits = this->values(3 * width, low);
    const auto before = this->values(3 * width, low);
    const std::int64_t targets[] = {0, width / 2, width - 1};
    const float weights[] = {1, 1, 0.5};
    double nats[3];
    bool right[3];
    cross_entropy_rows<TypeParam>({.rows = 3, .width = width}, logits.get(), targets, weights, 1,
                                  {.nats = nats, .right = right});
    for (std::int64_t r = 0; r < 3; ++r) {
      const auto at = [&](std::int64_t i) { return static_cast<std::size_t>(r * width + i); };
      double sum = 0;
      std::int64_t likeliest = 0;
      for (std::int64_t i = 0; i < width; ++i) {
        sum += std::exp(static_cast<double>(before[at(i)]));
        if (before[at(i)] > before[at(likeliest)]) likeliest = i;
      }
      EXPECT_NEAR(nats[r], std::log(sum) - static_cast<double>(before[at(targets[r])]), 1e-5);
      EXPECT_EQ(right[r], likeliest == targets[r]);
      for (std::int64_t i = 0; i < width; ++i) {
        const double p = std::exp(static_cast<double>(before[at(i)])) / sum;
        EXPECT_NEAR(static_cast<double>(logits[at(i)]),
                    (p - (i == targets[r] ? 1 : 0)) * static_cast<double>(weights[r]), this->noise);
      }
    }
  }
}

}  // namespace
}  // namespace understudy::s5
