// Training on a device that is not the CPU: no tensor stays behind, no row kernel reads the
// device's memory, and the numbers are the CPU's. Which kernels CUDA would take is not seen here.
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "base/files.hpp"
#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/decoder.hpp"
#include "steps/s5_tune/torch/devices.hpp"
#include "steps/s5_tune/torch/lora_checkpoint.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"
#include "steps/s5_tune/torch/lora_trainer.hpp"
#include "steps/s5_tune/torch/optimiser.hpp"
#include "steps/s5_tune/torch/tiny_model.hpp"
#include "steps/s5_tune/torch/walled_device.hpp"

namespace understudy::s5 {
namespace {

class OtherDevice : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-device-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    at::set_num_threads(1);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path directory_;
};

Pack some_pack() {
  std::mt19937_64 random(5);
  std::vector<TokenText> texts;
  std::vector<std::size_t> chosen;
  for (const std::size_t length : {70U, 9U, 33U}) {
    chosen.push_back(texts.size());
    TokenText& text = texts.emplace_back();
    text.prompt_tokens = 1 + length / 3;
    for (std::size_t i = 0; i <= length; ++i) {
      text.tokens.push_back(static_cast<lm::Token>(3 + random() % 256));
    }
  }
  return make_pack(texts, chosen);
}

double apart(const at::Tensor& a, const at::Tensor& b) {
  return a.cpu().sub(b.cpu()).abs().max().item<double>() / b.abs().max().item<double>();
}

TEST_F(OtherDevice, EveryFamilysStepStaysOnIt) {
  const c10::InferenceMode no_autograd;
  for (const Family& family : families()) {
    const std::string name(family.architecture);
    const auto path = directory_ / (name + ".gguf");
    ASSERT_TRUE(
        write_tiny_model(path, {.architecture = name,
                                .layers = name == "gemma3" ? 6 : 3,
                                .tied = name != "phi3" && name != "phi2" && name != "nemotron_h",
                                .matrices = lm::StoredAs::q4_k}));
    const auto file = lm::GgufFile::open(path).value();
    const DecoderPlan plan = plan_of(file).value();
    const auto step_of = [&](const Computing& computing) {
      Adapter adapter = Adapter::create(plan, {.rank = 4, .dropout = 0.2}, computing).value();
      BaseWeights weights(file, computing);
      Decoder decoder(plan, weights, &adapter);
      decoder.loss_and_gradients(some_pack(), 3);
      AdamW(adapter, {.state = OptimiserState::eight_bits}).step(adapter, 0, 1e-3);
      EXPECT_EQ(adapter.gradients().device(), computing.device);
      return adapter;
    };
    const Adapter there = step_of({at::kFloat, walled_device()});
    const Adapter here = step_of(at::kFloat);
    EXPECT_LT(apart(there.gradients(), here.gradients()), 1e-4) << name;
    EXPECT_LT(apart(there.parameters(), here.parameters()), 1e-3) << name;
  }
}

std::vector<TuningExample> rule_examples() {
  std::vector<TuningExample> examples;
  for (char first = 'a'; first <= 'h'; ++first) {
    for (char last = 'q'; last <= 'z'; ++last) {
      examples.push_back({.prompt = std::string("w:") + first + "-" + last + "=",
                          .answer = std::string{first, first, last}});
    }
  }
  return examples;
}

class TrainingOnOtherDevice : public OtherDevice {
 protected:
  void SetUp() override {
    OtherDevice::SetUp();
    static_cast<void>(walled_device());  // known by its name from now on
    base_ = directory_ / "base.gguf";
    ASSERT_TRUE(write_tiny_model(base_, {.context = 128, .matrices = lm::StoredAs::q8_0}));
  }
  [[nodiscard]] LoraOptions quick() const {
    return {.base = base_,
            .adapter = {.rank = 8, .alpha = 32},
            .epochs = 3,
            .batch_tokens = 256,
            .learning_rate = 5e-3,
            .patience = 100,
            .threads = 1,
            .device = walled_device_name,
            .compute = Compute::f32};
  }
  [[nodiscard]] Result<LoraReport> trained(const std::string& name, const LoraOptions& options) {
    std::filesystem::create_directories(directory_ / name);
    return train_lora(rule_examples(), directory_ / name, options);
  }
  [[nodiscard]] std::string bytes(const std::filesystem::path& of) const {
    return read_file(directory_ / of).value();
  }

  std::filesystem::path base_;
};

// From the base to the exports, which llama-server and libllama hold against our forward pass.
TEST_F(TrainingOnOtherDevice, LearnsAsTheCpuDoes) {
  LoraOptions options = quick();  // without dropout: lanes draw theirs by themselves
  const auto there = trained("there", options);
  ASSERT_TRUE(there.has_value()) << there.error().to_text();
  options.device = "cpu";
  const auto here = trained("here", options);
  ASSERT_TRUE(here.has_value()) << here.error().to_text();
  EXPECT_EQ(there->steps, here->steps);
  EXPECT_NEAR(there->validation_loss_before, here->validation_loss_before, 1e-4);
  EXPECT_NEAR(there->validation_loss, here->validation_loss, 1e-2 * here->validation_loss_before);
  EXPECT_LT(there->validation_loss, 0.8 * there->validation_loss_before);
  EXPECT_LT(there->logits_difference, 6e-2);
  EXPECT_NE(bytes("there/card.json").find(R"("device":"walled")"), std::string::npos);
}

// What a run keeps of itself between two steps.
struct SteppingRun {
  SteppingRun(const lm::GgufFile& file, const DecoderPlan& plan, const Computing& computing)
      : adapter(Adapter::create(plan, {.rank = 4, .dropout = 0.2}, computing).value()),
        weights(file, computing),
        decoder(plan, weights, &adapter),
        optimiser(adapter, {.state = OptimiserState::eight_bits}) {}

  void step(std::int64_t number) {
    adapter.gradients().zero_();
    decoder.loss_and_gradients(some_pack(), static_cast<std::uint64_t>(number) + 1);
    optimiser.step(adapter, number, 1e-3);
  }

  Adapter adapter;
  BaseWeights weights;
  Decoder decoder;
  AdamW optimiser;
};

TEST_F(TrainingOnOtherDevice, GoesOnFromACheckpointBitForBit) {
  const c10::InferenceMode no_autograd;
  const auto file = lm::GgufFile::open(base_).value();
  const DecoderPlan plan = plan_of(file).value();
  const auto path = directory_ / "checkpoint.safetensors";
  SteppingRun whole(file, plan, {at::kFloat, walled_device()});
  for (std::int64_t i = 0; i < 2; ++i) whole.step(i);
  const LoraState state{.first = whole.optimiser.first(),
                        .second = whole.optimiser.second(),
                        .best = whole.adapter.parameters(),
                        .step = 2};
  ASSERT_TRUE(save_state(path, state, whole.adapter.parameters(), "of this test"));
  SteppingRun resumed(file, plan, {at::kFloat, walled_device()});
  LoraState read{.first = at::empty_like(state.first),
                 .second = at::empty_like(state.second),
                 .best = at::empty_like(state.best)};
  ASSERT_TRUE(load_state(path, read, resumed.adapter.parameters(), "of this test"));
  resumed.optimiser.restore(read.first, read.second);
  resumed.adapter.refresh();
  for (std::int64_t i = read.step; i < 4; ++i) {
    whole.step(i);
    resumed.step(i);
  }
  EXPECT_TRUE(resumed.adapter.parameters().cpu().equal(whole.adapter.parameters().cpu()));
}

// The same sums in another order: a run that moved would not go on bit for bit.
TEST_F(TrainingOnOtherDevice, ACheckpointOfAnotherDeviceIsRefused) {
  LoraOptions options = quick();
  options.steps_max = 6;
  ASSERT_TRUE(trained("out", options));
  options.resume = true;
  ASSERT_TRUE(trained("out", options)) << "at its end";
  options.device = "cpu";
  EXPECT_EQ(trained("out", options).error().code, ErrorCode::conflict);
}

TEST_F(TrainingOnOtherDevice, EveryMethodTrainsAndExports) {
  for (const Method method : {Method::dora, Method::full}) {
    LoraOptions options = quick();
    options.method = method;
    options.steps_max = 8;
    options.learning_rate = 2e-3;
    options.merged = "F32";
    const auto report = trained(method == Method::dora ? "dora" : "full", options);
    ASSERT_TRUE(report.has_value()) << report.error().to_text();
    EXPECT_LT(report->validation_loss, report->validation_loss_before);
    EXPECT_LT(report->merged_difference.value(), 2e-3);
  }
}

TEST_F(TrainingOnOtherDevice, LearnsFromATeacherInBf16) {
  LoraOptions options = quick();
  options.teacher = {.file = base_, .share = 0.05};
  options.compute = Compute::bf16;
  const auto there = trained("there", options);
  ASSERT_TRUE(there.has_value()) << there.error().to_text();
  options.device = "cpu";
  const auto here = trained("here", options);
  ASSERT_TRUE(here.has_value()) << here.error().to_text();
  EXPECT_LT(there->validation_loss, 0.8 * there->validation_loss_before);
  EXPECT_NEAR(there->validation_loss, here->validation_loss, 0.05 * here->validation_loss_before);
}

TEST(TrainingDevice, IsNamedOrFound) {
  static_cast<void>(walled_device());
  EXPECT_EQ(training_device("cpu").value(), at::Device(at::kCPU));
  EXPECT_EQ(training_device(walled_device_name).value(), walled_device());
  EXPECT_EQ(training_device("walled:1").error().code, ErrorCode::not_found);
  for (const char* wrong : {"", "gpu", "cuda:x", "meta"}) {
    EXPECT_EQ(training_device(wrong).error().code, ErrorCode::invalid_input) << wrong;
  }
  if (c10::impl::hasDeviceGuardImpl(at::kCUDA)) GTEST_SKIP() << "this libtorch has CUDA";
  EXPECT_EQ(training_device("auto").value(), at::Device(at::kCPU));
  const Error error = training_device("cuda:1").error();
  EXPECT_EQ(error.code, ErrorCode::unsupported);
  EXPECT_NE(error.to_text().find("this build's libtorch has no CUDA"), std::string::npos);
  EXPECT_NE(error.to_text().find("Torch_DIR"), std::string::npos);
}

}  // namespace
}  // namespace understudy::s5
