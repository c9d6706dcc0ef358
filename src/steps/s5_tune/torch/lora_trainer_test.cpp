#include "steps/s5_tune/torch/lora_trainer.hpp"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "adapters/lm/adapter_model.hpp"
#include "adapters/lm/gguf_copy.hpp"
#include "adapters/lm/reference_model.hpp"
#include "adapters/lm/safetensors.hpp"
#include "base/files.hpp"
#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/decoder.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"
#include "steps/s5_tune/torch/tiny_model.hpp"

namespace understudy::s5 {
namespace {

// A made-up rule: the answer is the prompt's first letter twice, then how the word ends.
std::vector<TuningExample> rule_examples(const std::string& between = "") {
  std::vector<TuningExample> examples;
  for (char first = 'a'; first <= 'p'; ++first) {
    for (char last = 'q'; last <= 'z'; ++last) {
      examples.push_back({.prompt = std::string("w:") + first + "-" + last + "=",
                          .answer = std::string{first, first} + between + last});
    }
  }
  return examples;
}

class LoraTrainer : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-lora-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    base_ = directory_ / "base.gguf";
    ASSERT_TRUE(write_tiny_model(base_, {.context = 64, .width = 128, .head_width = 32}));
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] LoraOptions quick() const {
    return {.base = base_,
            .adapter = {.rank = 16, .alpha = 32},
            .epochs = 25,
            .batch_tokens = 512,
            .learning_rate = 5e-3,
            .patience = 100,
            .threads = 1,
            .compute = Compute::f32};
  }
  [[nodiscard]] std::filesystem::path made(const std::string& name) const {
    std::filesystem::create_directories(directory_ / name);
    return directory_ / name;
  }

  std::filesystem::path directory_;
  std::filesystem::path base_;
};

// Greedy, by our own forward pass with the adapter as vLLM and transformers would read it back.
class OurModel {
 public:
  OurModel(const std::filesystem::path& base, const std::filesystem::path& peft,
           const AdapterOptions& options)
      : file_(lm::GgufFile::open(base).value()),
        plan_(plan_of(file_).value()),
        weights_(file_, at::kFloat),
        adapter_(Adapter::create(plan_, options, at::kFloat).value()) {
    const auto saved = lm::read_safetensors(peft / "adapter_model.safetensors").value();
    for (const AdapterModule& module : adapter_.modules()) {
      const std::string name =
          "base_model.model.model.layers." + std::to_string(module.layer) + "." + module.linear.hf;
      std::ranges::copy(saved.tensors.at(name + ".lora_A.weight").values,
                        module.a.data_ptr<float>());
      const auto& b = saved.tensors.at(name + ".lora_B.weight").values;
      for (std::int64_t row = 0; row < module.b.size(0); ++row) {
        std::copy_n(b.begin() + row_in_hf(module, row) * module.b.size(1), module.b.size(1),
                    module.b.data_ptr<float>() + row * module.b.size(1));
      }
    }
    adapter_.refresh();
  }

  [[nodiscard]] std::vector<lm::Token> answer(std::vector<lm::Token> text, std::size_t count) {
    Decoder decoder(plan_, weights_, &adapter_);
    const std::size_t prompt = text.size();
    while (text.size() < prompt + count) {
      TokenText whole{.tokens = text, .prompt_tokens = text.size()};
      whole.tokens.push_back(0);
      const std::vector<std::size_t> first = {0};
      const at::Tensor row = decoder.logits(make_pack({&whole, 1}, first));
      const float* logits = row.const_data_ptr<float>();
      const auto token =
          static_cast<lm::Token>(std::max_element(logits, logits + row.size(1)) - logits);
      if (token == 2) break;  // </s>
      text.push_back(token);
    }
    return {text.begin() + static_cast<std::ptrdiff_t>(prompt), text.end()};
  }

 private:
  // transformers' conversion to GGUF: halves of a head become its even and odd rows.
  static std::int64_t row_in_hf(const AdapterModule& module, std::int64_t row) {
    if (module.linear.reordered_heads == 0) return row;
    const std::int64_t width = module.b.size(0) / module.linear.reordered_heads;
    const std::int64_t in_head = row % width;
    return row - in_head + (in_head % 2) * (width / 2) + in_head / 2;
  }

  c10::InferenceMode no_autograd_;
  lm::GgufFile file_;
  DecoderPlan plan_;
  BaseWeights weights_;
  Adapter adapter_;
};

TEST_F(LoraTrainer, LearnsARuleThatEveryExportThenFollows) {
  const auto out = made("out");
  LoraOptions options = quick();
  options.merged = "F32";
  const auto report = train_lora(rule_examples(), out, options);
  ASSERT_TRUE(report.has_value()) << report.error().to_text();
  EXPECT_GE(report->validation_exact, 0.9) << json::to_text(to_json(*report));
  EXPECT_LT(report->validation_loss, report->validation_loss_before / 4);
  EXPECT_LT(report->logits_difference, 2e-3);
  EXPECT_GT(report->adapter_effect, 0.1);

  const auto vocabulary = lm::Vocabulary::load(base_).value();
  const auto served = lm::ReferenceModel::open(base_, out / "adapter.gguf").value();
  const auto merged = lm::ReferenceModel::open(out / "merged.gguf").value();
  const lm::ServedFacts facts{
      .model = base_, .mark = {}, .adapter = {}, .context = 64, .answer_tokens_max = 6};
  const auto server = lm::ServedModel::start(facts, out / "adapter.gguf", {.parallel = 1}).value();
  OurModel ours(base_, out / "peft", options.adapter);
  std::size_t right = 0;
  std::size_t asked = 0;
  for (const TuningExample& example : rule_examples()) {
    if (++asked % 8 != 0) continue;
    const auto prompt = tokenize(vocabulary, example).value();
    const std::vector<lm::Token> text(
        prompt.tokens.begin(),
        prompt.tokens.begin() + static_cast<std::ptrdiff_t>(prompt.prompt_tokens));
    const auto theirs = served.continue_greedily(text, 6).value();
    EXPECT_EQ(theirs, ours.answer(text, 6)) << example.prompt;
    EXPECT_EQ(theirs, merged.continue_greedily(text, 6).value()) << example.prompt;
    EXPECT_EQ(vocabulary.decode(theirs), server->answer(text, {}).value().answer.text);
    right += vocabulary.decode(theirs) == example.answer ? 1U : 0U;
  }
  EXPECT_GE(right, 18U) << "of 20";
}

// Layers of several kinds: libllama takes the adapter of each linear layer and answers as we do.
TEST_F(LoraTrainer, ExportsAdaptersOfHybridsThatLibllamaFollows) {
  for (const char* architecture : {"lfm2", "falcon-h1"}) {
    ASSERT_TRUE(write_tiny_model(
        base_,
        {.architecture = architecture, .context = 64, .width = 64, .layers = 3, .head_width = 16}));
    LoraOptions options = quick();
    options.steps_max = 12;
    const auto out = made(architecture);
    const auto report = train_lora(rule_examples(), out, options);
    ASSERT_TRUE(report.has_value()) << architecture << ": " << report.error().to_text();
    EXPECT_LT(report->validation_loss, report->validation_loss_before) << architecture;
    EXPECT_LT(report->logits_difference, 2e-3) << architecture;
    EXPECT_GT(report->adapter_effect, 0.01) << architecture;
    const lm::ServedFacts facts{
        .model = base_, .mark = {}, .adapter = {}, .context = 64, .answer_tokens_max = 4};
    EXPECT_TRUE(lm::ServedModel::start(facts, out / "adapter.gguf", {.parallel = 1}).has_value());
    // Falcon-H1's GGUF weights hold factors that Hugging Face's do not.
    EXPECT_EQ(std::filesystem::exists(out / "peft"), std::string(architecture) == "lfm2");
  }
}

TEST_F(LoraTrainer, IsDeterministicForASeedAndDiffersForAnother) {
  LoraOptions options = quick();
  options.steps_max = 4;
  ASSERT_TRUE(train_lora(rule_examples(), made("a"), options));
  ASSERT_TRUE(train_lora(rule_examples(), made("b"), options));
  options.adapter.seed = 2;
  ASSERT_TRUE(train_lora(rule_examples(), made("c"), options));
  const auto bytes = [&](const char* name) {
    return read_file(directory_ / name / "adapter.gguf").value();
  };
  EXPECT_EQ(bytes("a"), bytes("b"));
  EXPECT_NE(bytes("a"), bytes("c"));
}

TEST_F(LoraTrainer, AccumulatesToTheSameStepAsOneLargeRow) {
  LoraOptions options = quick();
  options.steps_max = 1;
  options.batch_tokens = 100'000;
  options.length_max = 64;
  options.epochs = 1;
  ASSERT_TRUE(train_lora(rule_examples(), made("one"), options));
  options.batch_tokens = 256;
  options.accumulation = 100;
  ASSERT_TRUE(train_lora(rule_examples(), made("many"), options));
  const auto moments = [&](const char* name) {
    return lm::read_safetensors(directory_ / name / "checkpoint.safetensors")
        .value()
        .tensors.at("first")
        .values;
  };
  const auto one = moments("one");
  const auto many = moments("many");
  double apart = 0;
  double largest = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    apart = std::max(apart, std::abs(static_cast<double>(one[i] - many[i])));
    largest = std::max(largest, std::abs(static_cast<double>(one[i])));
  }
  EXPECT_GT(largest, 0);
  EXPECT_LT(apart, 1e-4 * largest);
}

TEST_F(LoraTrainer, TheOtherScaleIsServedAlike) {
  LoraOptions options = quick();
  options.steps_max = 10;
  options.adapter.rank_scale = RankScale::by_root;
  options.adapter.dropout = 0.1;
  options.adapter.targets = {"q_proj", "k_proj", "down_proj"};
  const auto report = train_lora(rule_examples(), made("out"), options);
  ASSERT_TRUE(report.has_value()) << report.error().to_text();
  EXPECT_LT(report->logits_difference, 2e-3);
}

TEST_F(LoraTrainer, SaysWhatIsWrongBeforeItTrains) {
  LoraOptions options = quick();
  const auto error_of = [&](const LoraOptions& asked, std::span<const TuningExample> examples) {
    const auto report = train_lora(examples, made("out"), asked);
    EXPECT_FALSE(report.has_value());
    return report ? Error{} : report.error();
  };
  const auto examples = rule_examples();
  EXPECT_EQ(error_of(options, std::span(examples).first(3)).code, ErrorCode::invalid_input);
  options.length_max = 4;
  EXPECT_NE(error_of(options, examples).message.find("160 are longer than 4"), std::string::npos);
  options = quick();
  options.adapter.targets = {"query"};
  EXPECT_NE(error_of(options, examples).message.find("\"query\""), std::string::npos);
  options = quick();
  options.method = Method::full;  // passes a whole batch at a time
  options.batch_tokens = 1'000'000'000'000;
  EXPECT_EQ(error_of(options, examples).code, ErrorCode::exhausted);
  options = quick();
  options.base = directory_ / "absent.gguf";
  EXPECT_EQ(error_of(options, examples).code, ErrorCode::not_found);
  const std::string whole = read_file(base_).value();
  ASSERT_TRUE(write_file_atomically(base_, whole.substr(0, whole.size() / 2)));
  EXPECT_EQ(error_of(quick(), examples).code, ErrorCode::corrupt);
}

// What is served has no adapter: the tuned model is a file of its own. Its tokens are bytes, so
// that characters beyond ASCII are written in parts.
TEST_F(LoraTrainer, DoraAndFullTuningLearnTheRuleIntoAModelOfTheirOwn) {
  for (const Method method : {Method::dora, Method::full}) {
    LoraOptions options = quick();
    options.method = method;
    options.learning_rate = method == Method::full ? 2e-3 : options.learning_rate;
    options.merged = "F32";
    options.task_prompts = true;
    const auto out = made(method == Method::full ? "full" : "dora");
    const auto report = train_lora(rule_examples("é日"), out, options);
    ASSERT_TRUE(report.has_value()) << report.error().to_text();
    EXPECT_LT(report->validation_loss, report->validation_loss_before / 4);
    EXPECT_LT(report->merged_difference.value(), 2e-3);
    EXPECT_FALSE(std::filesystem::exists(out / "adapter.gguf"));
    EXPECT_EQ(std::filesystem::exists(out / "peft"), method == Method::dora);
    ASSERT_TRUE(report->served.has_value());
    EXPECT_GE(report->served->agreed, report->served->answers * 8 / 10);
    const auto served = lm::read_served_facts(out);
    ASSERT_TRUE(served.has_value()) << served.error().to_text();
    EXPECT_EQ(served->model, out / "merged.gguf");
  }
}

TEST_F(LoraTrainer, EightBitAveragesAndRecomputedActivationsTrainNearlyAlike) {
  LoraOptions options = quick();
  options.epochs = 10;
  const auto plain = train_lora(rule_examples(), made("plain"), options);
  options.activations = Activations::recomputed;
  const auto recomputed = train_lora(rule_examples(), made("recomputed"), options);
  options.optimiser = OptimiserState::eight_bits;
  const auto eight = train_lora(rule_examples(), made("eight"), options);
  ASSERT_TRUE(plain && recomputed && eight);
  EXPECT_EQ(plain->validation_loss, recomputed->validation_loss);
  EXPECT_NEAR(eight->validation_loss, plain->validation_loss, 0.1 * plain->validation_loss_before);
  EXPECT_NE(eight->validation_loss, plain->validation_loss);
}

TEST_F(LoraTrainer, AMergedModelIsQuantisedFromF32) {
  ASSERT_TRUE(write_tiny_model(base_, {.context = 64, .matrices = lm::StoredAs::q4_k}));
  LoraOptions options = quick();
  options.steps_max = 10;
  options.merged = "Q4_K_M";
  const auto report = train_lora(rule_examples(), made("out"), options);
  ASSERT_TRUE(report.has_value()) << report.error().to_text();
  EXPECT_GT(report->merged_difference.value(), 0);
  const auto merged = lm::GgufFile::open(directory_ / "out" / "merged.gguf").value();
  EXPECT_EQ(merged.find("blk.0.attn_q.weight")->type, lm::StoredAs::q4_k);
  options.merged = "Q3";
  EXPECT_EQ(train_lora(rule_examples(), made("out"), options).error().code,
            ErrorCode::invalid_input);
}

TEST_F(LoraTrainer, EveryQuantisationCanBeMade) {
  ASSERT_TRUE(write_tiny_model(base_, {.context = 64}));
  const std::vector<lm::Token> text = {3, 70, 81, 92};
  const std::uintmax_t before = std::filesystem::file_size(base_);
  for (const std::string_view as : lm::quantisations()) {
    const auto made = directory_ / (std::string(as) + ".gguf");
    ASSERT_TRUE(lm::quantise_gguf(base_, made, as)) << as;
    EXPECT_LT(std::filesystem::file_size(made), before) << as;
    const auto model = lm::ReferenceModel::open(made);
    ASSERT_TRUE(model.has_value()) << as;
    EXPECT_TRUE(std::isfinite(model->logits(text).value().back().front())) << as;
  }
}

TEST_F(LoraTrainer, AnAdapterThatChangesNothingIsNotKept) {
  LoraOptions options = quick();
  options.steps_max = 2;
  options.learning_rate = 1e-12;
  const auto report = train_lora(rule_examples(), made("out"), options);
  ASSERT_FALSE(report.has_value());
  EXPECT_NE(report.error().message.find("changes nothing"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "out" / "adapter.gguf"));
}

TEST_F(LoraTrainer, ADivergedRunEndsWithAnError) {
  LoraOptions options = quick();
  options.learning_rate = 1e30;
  const auto report = train_lora(rule_examples(), made("out"), options);
  ASSERT_FALSE(report.has_value());
  EXPECT_NE(report.error().message.find("the loss is no number"), std::string::npos)
      << report.error().to_text();
}

TEST_F(LoraTrainer, AQuantisedBaseTrainsToNearlyTheSameLoss) {
  LoraOptions options = quick();
  options.epochs = 10;
  const auto full = train_lora(rule_examples(), made("f32"), options);
  ASSERT_TRUE(write_tiny_model(
      base_, {.context = 64, .width = 128, .head_width = 32, .matrices = lm::StoredAs::q8_0}));
  const auto quantised = train_lora(rule_examples(), made("q8"), options);
  ASSERT_TRUE(full.has_value()) << full.error().to_text();
  ASSERT_TRUE(quantised.has_value()) << quantised.error().to_text();
  EXPECT_NEAR(quantised->validation_loss, full->validation_loss,
              0.1 * full->validation_loss_before);
}

}  // namespace
}  // namespace understudy::s5
