#include "steps/s5_tune/torch/nano_network.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace understudy::s5 {
namespace {

constexpr lm::LlamaShape tiny{
    .context = 16, .width = 8, .layers = 2, .heads = 2, .feed_forward = 12, .vocabulary = 11};

Batch some_batch(at::ScalarType type) {
  std::mt19937_64 random(5);
  Batch batch{.texts = 2, .length = 6};
  std::vector<std::int64_t> tokens;
  for (int i = 0; i < 12; ++i) tokens.push_back(static_cast<std::int64_t>(random() % 11));
  batch.tokens = at::tensor(tokens, at::kLong);
  batch.rows = at::tensor(std::vector<std::int64_t>{3, 4, 9}, at::kLong);
  batch.targets = at::tensor(std::vector<std::int64_t>{1, 7, 2}, at::kLong);
  batch.weights = at::tensor(std::vector<double>{1, 1, 3}, at::kDouble).to(type);
  return batch;
}

double loss_of(NanoNetwork& network, const Batch& batch) {
  const at::Tensor picked =
      at::log_softmax(network.logits(batch), 1).gather(1, batch.targets.unsqueeze(1)).squeeze(1);
  return -((picked * batch.weights).sum() / batch.weights.sum()).item<double>();
}

TEST(NanoNetwork, GradientIsTheSlopeOfTheLoss) {
  at::set_num_threads(1);  // thousands of tiny passes
  NanoNetwork network(tiny, at::kDouble, 1);
  network.parameters().mul_(3);  // away from the small start, where much is nearly linear
  const Batch batch = some_batch(at::kDouble);
  EXPECT_NEAR(network.loss_and_gradient(batch), loss_of(network, batch), 1e-12);
  const at::Tensor gradient = network.gradient().clone();
  constexpr double step = 1e-5;
  for (std::int64_t i = 0; i < gradient.numel(); ++i) {
    const double before = network.parameters()[i].item<double>();
    network.parameters()[i] = before + step;
    const double above = loss_of(network, batch);
    network.parameters()[i] = before - step;
    const double below = loss_of(network, batch);
    network.parameters()[i] = before;
    const double slope = (above - below) / (2 * step);
    ASSERT_NEAR(gradient[i].item<double>(), slope, 1e-6 * (1 + std::abs(slope)))
        << "parameter " << i;
  }
}

TEST(NanoNetwork, PredictsFromThePastOnly) {
  NanoNetwork network(tiny, at::kDouble, 1);
  Batch batch = some_batch(at::kDouble);
  const at::Tensor before = network.logits(batch);
  batch.tokens[5] = 10 - batch.tokens[5].item<std::int64_t>();
  EXPECT_TRUE(at::allclose(network.logits(batch), before)) << "row 5 lies behind rows 3 and 4";
  batch.tokens[0] = 10 - batch.tokens[0].item<std::int64_t>();
  EXPECT_FALSE(at::allclose(network.logits(batch), before));
}

TEST(NanoNetwork, OnlyTheAnswerTeaches) {
  NanoNetwork network(tiny, at::kDouble, 1);
  Batch batch = some_batch(at::kDouble);
  batch.tokens[10] = 10;  // behind the last answer row, in no answer's past
  batch.tokens[11] = 10;
  batch.tokens.narrow(0, 0, 10).clamp_(0, 9);
  const double loss = network.loss_and_gradient(batch);
  const at::Tensor gradient = network.gradient().clone();
  batch.tokens[10] = 3;
  batch.tokens[11] = 4;
  EXPECT_DOUBLE_EQ(network.loss_and_gradient(batch), loss);
  EXPECT_TRUE(at::allclose(network.gradient(), gradient));
}

TEST(NanoNetwork, SingleAndDoublePrecisionAgree) {
  NanoNetwork in_double(tiny, at::kDouble, 1);
  NanoNetwork in_single(tiny, at::kFloat, 1);
  EXPECT_NEAR(in_single.loss_and_gradient(some_batch(at::kFloat)),
              in_double.loss_and_gradient(some_batch(at::kDouble)), 1e-5);
  EXPECT_TRUE(at::allclose(in_single.gradient().to(at::kDouble), in_double.gradient(), 1e-3, 1e-5));
}

}  // namespace
}  // namespace understudy::s5
