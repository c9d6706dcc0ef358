// Decoders of every family by composed operations against the same by row kernels, on the CPU: what
// other devices compute is what the CPU does.
#include "steps/s5_tune/torch/composed_operations.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/decoder_lanes.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"
#include "steps/s5_tune/torch/tiny_model.hpp"

namespace understudy::s5 {
namespace {

// Longer than a window, a chunk of the scan and a block of queries, and much shorter.
Pack some_pack(std::uint64_t seed = 5) {
  std::mt19937_64 random(seed);
  std::vector<TokenText> texts;
  std::vector<std::size_t> chosen;
  for (const std::size_t length : {150U, 9U, 71U, 33U, 2U, 140U}) {
    chosen.push_back(texts.size());
    TokenText& text = texts.emplace_back();
    text.prompt_tokens = 1 + length / 3;
    for (std::size_t i = 0; i <= length; ++i) {
      text.tokens.push_back(static_cast<lm::Token>(3 + random() % 256));
    }
  }
  Pack pack = make_pack(texts, chosen);
  pack.weights.div_(static_cast<double>(pack.rows.numel()));
  return pack;
}

at::Tensor waves(std::int64_t count, const at::TensorOptions& options) {
  return at::arange(count, at::TensorOptions(at::kDouble)).mul_(0.7).sin_().mul_(0.1).to(options);
}

struct Taken {
  at::Tensor logits = {};
  PackLoss loss = {};
  at::Tensor gradients = {};
};

// The largest difference in units of the largest value.
double apart(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(b).abs().max().item<double>() / b.abs().max().item<double>();
}

// The length of the difference in units of that of the value: for types whose single values are
// noisy.
double distance(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor exact = b.to(at::kDouble);
  return a.to(at::kDouble).sub(exact).norm().item<double>() / exact.norm().item<double>();
}

class ComposedOperations : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-composed-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    at::set_num_threads(1);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] lm::GgufFile model(const TinyModel& shape) const {
    const auto path = directory_ / (shape.architecture + ".gguf");
    EXPECT_TRUE(write_tiny_model(path, shape).has_value());
    return lm::GgufFile::open(path).value();
  }

  static Taken with_adapter(const lm::GgufFile& file, const Computing& computing,
                            const AdapterOptions& options = {.rank = 4, .dropout = 0.3},
                            bool softly = false, std::uint64_t seed = 5) {
    const DecoderPlan plan = plan_of(file).value();
    Adapter adapter = Adapter::create(plan, options, computing).value();
    adapter.parameters().copy_(waves(adapter.parameters().numel(), computing.sums()));
    adapter.refresh();
    BaseWeights weights(file, computing);
    DecoderLanes lanes(plan, weights, &adapter, Activations::kept, 3);
    EXPECT_EQ(lanes.lanes(), computing.composed() || options.magnitudes ? 1U : 3U);
    Decoder decoder(plan, weights, &adapter);
    Pack pack = some_pack(seed);
    if (softly) {
      pack.soft = decoder.likeliest(pack, 5, 2.0);
      pack.soft->share = 0.6;
    }
    Taken taken{.logits = decoder.logits(pack)};
    taken.loss = decoder.loss_and_gradients(pack, 11);
    taken.gradients = adapter.gradients();
    return taken;
  }

  static Taken with_all_weights(const lm::GgufFile& file, const Computing& computing) {
    const DecoderPlan plan = plan_of(file).value();
    FullWeights full(file, computing);
    BaseWeights weights(file, computing, &full);
    Decoder decoder(plan, weights, nullptr, Activations::recomputed);
    const Pack pack = some_pack();
    Taken taken{.logits = decoder.logits(pack)};
    taken.loss = decoder.loss_and_gradients(pack, 0);
    taken.gradients = full.gradients();
    return taken;
  }

  std::filesystem::path directory_;
  c10::InferenceMode no_autograd_;
};

TinyModel shape_of(const Family& family) {
  const std::string name(family.architecture);
  std::int64_t layers = name == "gemma3" ? 7 : 3;  // each kind of layer that a family has
  if (name == "smollm3") layers = 4;
  return {.architecture = name,
          .width = 64,
          .layers = layers,
          .heads = 4,
          .kv_heads = 2,
          .head_width = 16,
          .feed_forward = 96,
          .tied = name != "phi3" && name != "phi2" && name != "nemotron_h"};
}

constexpr auto composed = OperationForm::composed;

void expect_same(const Taken& one, const Taken& other, double noise, const std::string& name) {
  EXPECT_LT(apart(one.logits, other.logits), noise) << name << ": logits";
  EXPECT_NEAR(one.loss.loss, other.loss.loss, noise * other.loss.loss) << name << ": loss";
  EXPECT_LT(apart(one.gradients, other.gradients), noise) << name << ": gradients";
  EXPECT_GT(other.gradients.abs().max().item<double>(), 1e-4) << name;
}

TEST_F(ComposedOperations, GiveEveryFamilyTheSameLossAndAdapterGradients) {
  for (const Family& family : families()) {
    const auto file = model(shape_of(family));
    const Taken kernels = with_adapter(file, at::kDouble);
    const Taken other = with_adapter(file, {at::kDouble, composed});
    expect_same(other, kernels, 1e-9, std::string(family.architecture));
    EXPECT_EQ(other.loss.right, kernels.loss.right) << family.architecture;
    expect_same(with_adapter(file, {at::kFloat, composed}), with_adapter(file, at::kFloat), 2e-4,
                std::string(family.architecture) + " in f32");
  }
}

TEST_F(ComposedOperations, GiveEveryFamilyTheSameGradientsOfAllWeights) {
  for (const Family& family : families()) {
    const auto file = model(shape_of(family));
    expect_same(with_all_weights(file, {at::kDouble, composed}),
                with_all_weights(file, at::kDouble), 1e-9, std::string(family.architecture));
  }
}

// Both round to eight bits, each in its places: they differ by no more than either does from f64.
// One pack's gradients say little, as where their values cancel out, the roundings remain (two
// orders of the same sums were 0.09 and 0.21 from f64): the mean over a few.
TEST_F(ComposedOperations, InBf16AreAsCloseToTheTruthAsTheKernels) {
  for (const Family& family : families()) {
    const auto file = model(shape_of(family));
    double gradients = 0, kernels_gradients = 0, logits = 0, kernels_logits = 0;
    for (const std::uint64_t seed : {5U, 6U, 7U, 8U}) {
      const auto taken = [&](const Computing& computing) {
        return with_adapter(file, computing, {.rank = 4, .dropout = 0.3}, false, seed);
      };
      const Taken truth = taken(at::kDouble);
      const Taken kernels = taken(at::kBFloat16);
      const Taken other = taken({at::kBFloat16, composed});
      gradients += distance(other.gradients, truth.gradients);
      kernels_gradients += distance(kernels.gradients, truth.gradients);
      logits += distance(other.logits, truth.logits);
      kernels_logits += distance(kernels.logits, truth.logits);
    }
    EXPECT_LT(gradients, 1.5 * kernels_gradients) << family.architecture;
    EXPECT_LT(logits, 1.5 * kernels_logits) << family.architecture;
  }
}

TEST_F(ComposedOperations, LearnMagnitudesAndOpinionsAlike) {
  const auto llama = model({.width = 64, .head_width = 16, .feed_forward = 96});
  const AdapterOptions dora{.rank = 4, .magnitudes = true};
  expect_same(with_adapter(llama, {at::kDouble, composed}, dora),
              with_adapter(llama, at::kDouble, dora), 1e-9, "DoRA");
  const auto gemma =
      model({.architecture = "gemma2", .width = 64, .head_width = 16, .feed_forward = 96});
  expect_same(with_adapter(gemma, {at::kDouble, composed}, {.rank = 4}, true),
              with_adapter(gemma, at::kDouble, {.rank = 4}, true), 1e-9, "soft targets");
}

TEST_F(ComposedOperations, ExpandQuantisedBasesAsTheCpuDoes) {
  for (const auto type :
       {lm::StoredAs::f16, lm::StoredAs::bf16, lm::StoredAs::q8_0, lm::StoredAs::q6_k,
        lm::StoredAs::q5_k, lm::StoredAs::q4_k, lm::StoredAs::q4_0}) {
    const auto file = model({.vocabulary = 5000, .matrices = type});  // a head in panels
    expect_same(with_adapter(file, {at::kDouble, composed}), with_adapter(file, at::kDouble), 1e-5,
                std::string(lm::to_string(type)));
  }
}

TEST(ComposedDropout, LeavesOutTheSameValues) {
  const c10::InferenceMode no_autograd;
  for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    const at::Tensor x = waves(77 * 96, at::TensorOptions(type)).view({77, 96});
    for (const std::uint64_t seed : {1ULL, 0x8000000000000001ULL, ~0ULL}) {
      const Dropout dropout{.seed = seed, .keep = 0.7};
      const at::Tensor some = Operations(Computing(type, composed)).drop(x, dropout);
      EXPECT_TRUE(some.equal(Operations(Computing(type)).drop(x, dropout)));
      EXPECT_NEAR(some.eq(0).to(at::kDouble).mean().item<double>(), 0.3, 0.03);
    }
  }
}

// Ties are common in bf16: the first of the likeliest tokens is the model's answer.
TEST(ComposedCrossEntropy, OfEqualLogitsTakesTheFirst) {
  const c10::InferenceMode no_autograd;
  const at::Tensor targets = at::arange(3, at::TensorOptions(at::kLong));
  const at::Tensor weights = at::empty({3}, at::TensorOptions(at::kFloat)).fill_(1);
  for (const auto form : {OperationForm::row_kernels, composed}) {
    const RowLosses losses{.nats = at::zeros({3}, at::TensorOptions(at::kDouble)),
                           .right = at::zeros({3}, at::TensorOptions(at::kBool))};
    Operations(Computing(at::kBFloat16, form))
        .cross_entropy(at::zeros({3, 300}, at::TensorOptions(at::kBFloat16)),
                       {.targets = targets, .weights = weights}, losses);
    EXPECT_TRUE(losses.right[0].item<bool>());
    EXPECT_FALSE(losses.right[1].item<bool>() || losses.right[2].item<bool>());
    EXPECT_NEAR(losses.nats.sum().item<double>(), 3 * std::log(300), 1e-4);
  }
}

}  // namespace
}  // namespace understudy::s5
