#include "steps/s5_tune/torch/decoder_lanes.hpp"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"
#include "steps/s5_tune/torch/products.hpp"
#include "steps/s5_tune/torch/tiny_model.hpp"

namespace understudy::s5 {
namespace {

TokenText some_text(std::size_t length, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  TokenText text;
  text.prompt_tokens = length / 2;
  for (std::size_t i = 0; i < length; ++i) {
    text.tokens.push_back(static_cast<lm::Token>(3 + random() % 256));
  }
  return text;
}

Pack pack_of(const std::vector<std::size_t>& lengths) {
  std::vector<TokenText> texts;
  std::vector<std::size_t> chosen;
  for (const std::size_t length : lengths) {
    chosen.push_back(texts.size());
    texts.push_back(some_text(length + 1, texts.size() + 1));
  }
  return make_pack(texts, chosen);
}

class DecoderLanesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-lanes-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    at::set_num_threads(3);
    ASSERT_TRUE(write_tiny_model(directory_ / "tiny.gguf", {.matrices = lm::StoredAs::q8_0}));
    file_ = lm::GgufFile::open(directory_ / "tiny.gguf").value();
    plan_ = plan_of(*file_).value();
  }
  void TearDown() override {
    at::set_num_threads(1);
    std::filesystem::remove_all(directory_);
  }

  struct Taken {
    PackLoss loss;
    at::Tensor gradients;
  };
  [[nodiscard]] Taken step(const Pack& pack, int threads, at::ScalarType type,
                           double dropout = 0) const {
    Adapter adapter = Adapter::create(plan_, {.rank = 4, .dropout = dropout}, type).value();
    for (const AdapterModule& module : adapter.modules()) module.b.copy_(module.b.sin().add_(0.05));
    adapter.refresh();
    BaseWeights weights(*file_, type);
    DecoderLanes decoder(plan_, weights, &adapter, Activations::kept, threads);
    PackLoss loss = decoder.loss_and_gradients(pack, 7);
    if (dropout == 0) {
      EXPECT_NEAR(decoder.loss(pack).loss, loss.loss, 1e-6 * loss.loss);
    }
    return {.loss = loss, .gradients = adapter.gradients()};
  }

  std::filesystem::path directory_;
  std::optional<lm::GgufFile> file_;
  DecoderPlan plan_;
  c10::InferenceMode no_autograd_;
};

TEST_F(DecoderLanesTest, LanesAddUpToTheWhole) {
  const Pack pack = pack_of({70, 60, 130, 65, 66});
  ASSERT_EQ(split_pack(pack, 3).size(), 3U);
  const Taken whole = step(pack, 1, at::kDouble);
  const Taken lanes = step(pack, 3, at::kDouble);
  EXPECT_NEAR(whole.loss.loss, lanes.loss.loss, 1e-9 * whole.loss.loss);
  EXPECT_EQ(whole.loss.right, lanes.loss.right);
  const double largest = whole.gradients.abs().max().item<double>();
  EXPECT_GT(largest, 1e-3);
  EXPECT_LT(whole.gradients.sub(lanes.gradients).abs().max().item<double>(), 1e-9 * largest);
}

// One lane takes its texts in turns, and so do all together where a pack does not divide.
TEST_F(DecoderLanesTest, TurnsAddUpToTheWhole) {
  const Pack undivided = pack_of({256, 256, 256});
  ASSERT_EQ(split_pack(undivided, 2).size(), 1U);
  for (const auto& [pack, threads] :
       {std::pair(pack_of({250, 240, 40, 250, 245, 250, 230}), 1), std::pair(undivided, 2)}) {
    ASSERT_GT(turns_of(pack).size(), 1U);
    Adapter adapter = Adapter::create(plan_, {.rank = 4}, at::kDouble).value();
    for (const AdapterModule& module : adapter.modules()) module.b.copy_(module.b.sin().add_(0.05));
    adapter.refresh();
    BaseWeights weights(*file_, at::kDouble);
    Decoder(plan_, weights, &adapter).loss_and_gradients(pack, 0);
    const at::Tensor whole = adapter.gradients().clone();
    adapter.gradients().zero_();
    DecoderLanes(plan_, weights, &adapter, Activations::kept, threads).loss_and_gradients(pack, 0);
    const double largest = whole.abs().max().item<double>();
    EXPECT_GT(largest, 1e-3);
    EXPECT_LT(whole.sub(adapter.gradients()).abs().max().item<double>(), 1e-9 * largest);
  }
}

TEST_F(DecoderLanesTest, ATurnEndsAtATextAndIsBoundedAndFilledUp) {
  const auto lengths = [](const Pack& pack) {
    std::vector<std::int64_t> tokens;
    for (const Pack& turn : turns_of(pack)) tokens.push_back(turn.begins.back());
    return tokens;
  };
  using Lengths = std::vector<std::int64_t>;
  EXPECT_EQ(lengths(pack_of({512, 512})), (Lengths{512, 512}));
  EXPECT_EQ(lengths(pack_of({256, 256, 100})), (Lengths{640})) << "not worth another turn";
  EXPECT_EQ(lengths(pack_of({1300})), (Lengths{1344})) << "a text stays whole";
  EXPECT_EQ(lengths(pack_of({100, 1300, 100})), (Lengths{128, 1344, 128}));
  for (const std::int64_t tokens : lengths(pack_of({90, 400, 200, 300, 10, 20, 500, 30, 400}))) {
    EXPECT_LE(tokens, tokens_at_once(500, 1));
  }
}

TEST_F(DecoderLanesTest, StepsAreTheSameToTheBitInEveryRun) {
  const Pack pack = pack_of({70, 60, 130, 65, 66});
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const Taken once = step(pack, 3, type, 0.2);
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(step(pack, 3, type, 0.2).gradients.equal(once.gradients));
    }
  }
}

TEST_F(DecoderLanesTest, PackedMatricesGiveTheSameBits) {
  if (!multiplies_directly(at::kBFloat16)) GTEST_SKIP() << "nothing is packed on this processor";
  ASSERT_TRUE(write_tiny_model(directory_ / "bf16.gguf", {.matrices = lm::StoredAs::bf16}));
  const auto file = lm::GgufFile::open(directory_ / "bf16.gguf").value();
  const DecoderPlan plan = plan_of(file).value();
  const Pack pack = pack_of({70, 60, 130, 65, 66});
  const auto gradients = [&](bool packs) {
    Adapter adapter = Adapter::create(plan, {.rank = 4}, at::kBFloat16).value();
    for (const AdapterModule& module : adapter.modules()) module.b.copy_(module.b.sin().add_(0.05));
    adapter.refresh();
    BaseWeights weights(file, at::kBFloat16);
    if (packs) weights.pack_matrices();
    DecoderLanes decoder(plan, weights, &adapter, Activations::kept, 3);
    decoder.loss_and_gradients(pack, 0);
    EXPECT_EQ(weights.buffer_bytes() > 0, packs) << "on a machine whose libtorch can";
    return adapter.gradients();
  };
  EXPECT_TRUE(gradients(true).equal(gradients(false)));
}

TEST_F(DecoderLanesTest, APackThatDoesNotDivideIsTakenWhole) {
  EXPECT_EQ(split_pack(pack_of({200, 200}), 2).size(), 2U);
  EXPECT_EQ(split_pack(pack_of({400}), 2).size(), 1U) << "one text";
  EXPECT_EQ(split_pack(pack_of({300, 50}), 2).size(), 1U) << "one lane would wait";
  EXPECT_EQ(split_pack(pack_of({20, 20}), 2).size(), 1U) << "too little for two";
}

}  // namespace
}  // namespace understudy::s5
