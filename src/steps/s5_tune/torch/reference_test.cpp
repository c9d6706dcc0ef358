// Our forward pass, gradients and AdamW against transformers' and PyTorch's, as stored by
// tools/training_reference.py. The weights are hashes of their names, on both sides.
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include "adapters/lm/gguf_builder.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/decoder.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"
#include "steps/s5_tune/torch/lora_export.hpp"
#include "steps/s5_tune/torch/optimiser.hpp"

namespace understudy::s5 {
namespace {

constexpr std::int64_t width = 32, heads = 4, kv_heads = 2, head_width = 8, feed_forward = 48,
                       vocabulary = 64;
constexpr std::int64_t state_heads = 4, state_width = 8, state_groups = 2, state_size = 8, taps = 4;
constexpr std::int64_t state_inner = state_heads * state_width;
constexpr std::int64_t convolved = state_inner + 2 * state_groups * state_size;
constexpr int steps = 10;
constexpr std::size_t text_count = 2, text_length = 12;

std::vector<float> hashed(const std::string& name, std::int64_t count) {
  std::uint64_t seed = 0xCBF29CE484222325ULL;
  for (const char c : name) seed = (seed ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
  std::vector<float> values;
  for (std::int64_t i = 1; i <= count; ++i) {
    std::uint64_t x = seed + static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
    x ^= x >> 31U;
    values.push_back(static_cast<float>(static_cast<double>(x >> 40U) / (1 << 23) - 1));
  }
  return values;
}

std::vector<float> weight(const std::string& name, std::int64_t count) {
  std::vector<float> values = hashed(name, count);
  const bool gain = (name.contains("norm") && name.ends_with("weight")) || name.ends_with(".D");
  for (float& value : values) {
    if (gain) {
      value = 1.0F + value * 0.125F;
    } else if (!name.contains("embed")) {
      value *= name.contains("conv1d") ? 0.5F : 0.25F;
    }
  }
  return values;
}

// A GGUF file of what transformers was given, in GGUF's names and order of rows.
class ReferenceModelFile {
 public:
  explicit ReferenceModelFile(std::string architecture) : architecture_(std::move(architecture)) {}

  [[nodiscard]] std::filesystem::path write(const std::filesystem::path& directory) {
    const bool hybrid = architecture_ == "nemotron_h";
    set_keys(hybrid);
    add("token_embd.weight", hybrid ? "model.embeddings.weight" : "model.embed_tokens.weight",
        vocabulary, width);
    add("output.weight", "lm_head.weight", vocabulary, width);
    add("output_norm.weight", hybrid ? "model.norm_f.weight" : "model.norm.weight", 1, width);
    for (int i = 0; i < (hybrid ? 4 : 2); ++i) {
      gguf_ = "blk." + std::to_string(i) + ".";
      hf_ = "model.layers." + std::to_string(i) + ".";
      hybrid ? add_hybrid_layer(i) : add_layer();
    }
    const auto path = directory / (architecture_ + ".gguf");
    EXPECT_TRUE(file_.write(path));
    return path;
  }

 private:
  void set(const std::string& key, std::int64_t value) {
    file_.set(architecture_ + "." + key, static_cast<std::uint32_t>(value));
  }
  void set_keys(bool hybrid) {
    file_.set("general.architecture", architecture_);
    set("context_length", 64);
    set("embedding_length", width);
    set("block_count", hybrid ? 4 : 2);
    set("attention.head_count", heads);
    set("attention.key_length", head_width);
    set("rope.dimension_count", head_width);
    file_.set(architecture_ + ".attention.layer_norm_rms_epsilon", 1e-5F);
    if (!hybrid) {
      set("attention.head_count_kv", kv_heads);
      set("feed_forward_length", feed_forward);
      return;
    }
    file_.set("nemotron_h.attention.head_count_kv", std::vector<std::int32_t>{0, kv_heads, 0, 0});
    file_.set("nemotron_h.feed_forward_length", std::vector<std::int32_t>{0, 0, feed_forward, 0});
    set("ssm.conv_kernel", taps);
    set("ssm.inner_size", state_inner);
    set("ssm.state_size", state_size);
    set("ssm.time_step_rank", state_heads);
    set("ssm.group_count", state_groups);
  }
  void add(const std::string& gguf, const std::string& hf, std::int64_t rows,
           std::int64_t columns) {
    file_.add({.name = gguf, .rows = rows, .columns = columns}, weight(hf, rows * columns));
  }
  void layer(const char* gguf, const char* hf, std::int64_t rows, std::int64_t columns) {
    add(gguf_ + gguf, hf_ + hf, rows, columns);
  }
  // Row i of a head's first half goes to 2i, of its second to 2i + 1.
  void turned(const char* gguf, const char* hf, std::int64_t rows) {
    if (architecture_ != "llama") return layer(gguf, hf, rows, width);
    const std::vector<float> values = weight(hf_ + std::string(hf), rows * width);
    std::vector<float> moved(values.size());
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t in_head = row % head_width;
      const std::int64_t half = head_width / 2;
      const std::int64_t to = row - in_head + in_head % half * 2 + in_head / half;
      std::copy_n(values.begin() + row * width, width, moved.begin() + to * width);
    }
    file_.add({.name = gguf_ + gguf, .rows = rows, .columns = width}, moved);
  }
  void add_layer() {
    layer("attn_norm.weight", "input_layernorm.weight", 1, width);
    layer("ffn_norm.weight", "post_attention_layernorm.weight", 1, width);
    layer("attn_output.weight", "self_attn.o_proj.weight", width, heads * head_width);
    layer("ffn_down.weight", "mlp.down_proj.weight", width, feed_forward);
    if (architecture_ == "phi3") {
      layer("attn_qkv.weight", "self_attn.qkv_proj.weight", (heads + 2 * kv_heads) * head_width,
            width);
      layer("ffn_up.weight", "mlp.gate_up_proj.weight", 2 * feed_forward, width);
      return;
    }
    turned("attn_q.weight", "self_attn.q_proj.weight", heads * head_width);
    turned("attn_k.weight", "self_attn.k_proj.weight", kv_heads * head_width);
    layer("attn_v.weight", "self_attn.v_proj.weight", kv_heads * head_width, width);
    layer("ffn_gate.weight", "mlp.gate_proj.weight", feed_forward, width);
    layer("ffn_up.weight", "mlp.up_proj.weight", feed_forward, width);
    if (architecture_ == "qwen3") {
      layer("attn_q_norm.weight", "self_attn.q_norm.weight", 1, head_width);
      layer("attn_k_norm.weight", "self_attn.k_norm.weight", 1, head_width);
    }
  }
  void add_hybrid_layer(int index) {
    layer("attn_norm.weight", "norm.weight", 1, width);
    if (index == 1) {
      layer("attn_q.weight", "mixer.q_proj.weight", heads * head_width, width);
      layer("attn_k.weight", "mixer.k_proj.weight", kv_heads * head_width, width);
      layer("attn_v.weight", "mixer.v_proj.weight", kv_heads * head_width, width);
      layer("attn_output.weight", "mixer.o_proj.weight", width, heads * head_width);
    } else if (index == 2) {
      layer("ffn_up.weight", "mixer.up_proj.weight", feed_forward, width);
      layer("ffn_down.weight", "mixer.down_proj.weight", width, feed_forward);
    } else {
      add_state_space();
    }
  }
  void add_state_space() {
    layer("ssm_in.weight", "mixer.in_proj.weight", state_inner + convolved + state_heads, width);
    layer("ssm_conv1d.weight", "mixer.conv1d.weight", convolved, taps);
    layer("ssm_conv1d.bias", "mixer.conv1d.bias", 1, convolved);
    layer("ssm_dt.bias", "mixer.dt_bias", 1, state_heads);
    layer("ssm_d", "mixer.D", state_heads, 1);
    layer("ssm_norm.weight", "mixer.norm.weight", state_groups, state_inner / state_groups);
    layer("ssm_out.weight", "mixer.out_proj.weight", width, state_inner);
    std::vector<float> decay = weight(hf_ + "mixer.A_log", state_heads);
    for (float& value : decay) value = -std::exp(value);
    file_.add({.name = gguf_ + "ssm_a", .rows = state_heads, .columns = 1}, decay);
  }

  std::string architecture_;
  lm::GgufBuilder file_;
  std::string gguf_, hf_;
};

std::vector<TokenText> texts() {
  const std::vector<float> drawn = hashed("tokens", text_count * text_length);
  std::vector<TokenText> made(text_count);
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    made[i / text_length].tokens.push_back(
        static_cast<lm::Token>(static_cast<double>(drawn[i]) * vocabulary / 2 + vocabulary / 2));
  }
  for (TokenText& text : made) text.prompt_tokens = 1;
  return made;
}

void expect_values(const json::value& wanted, const at::Tensor& found, double tolerance,
                   const std::string& what) {
  const at::Tensor flat = found.contiguous().view({-1});
  for (std::size_t i = 0; i < wanted.as_array().size(); ++i) {
    EXPECT_NEAR(flat.const_data_ptr<float>()[i], wanted.at(i).to_number<double>(), tolerance)
        << what << ' ' << i;
  }
}

constexpr std::array reference_families = {"llama", "qwen3", "phi3", "nemotron_h"};

// A directory, and adapters as the script draws them.
class WithAdapters : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-reference-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static std::string name_of(const AdapterModule& module) {
    return "model.layers." + std::to_string(module.layer) + "." + module.linear.hf;
  }
  // As the script draws them; the rows of B in GGUF's order.
  static void fill(const Adapter& adapter) {
    for (const AdapterModule& module : adapter.modules()) {
      const auto a = hashed(name_of(module) + ".lora_A", module.a.numel());
      const auto b = hashed(name_of(module) + ".lora_B", module.b.numel());
      for (std::size_t i = 0; i < a.size(); ++i) module.a.data_ptr<float>()[i] = a[i] * 0.25F;
      const std::int64_t rank = module.b.size(1);
      for (std::int64_t row = 0; row < module.b.size(0); ++row) {
        std::int64_t to = row;
        if (module.linear.reordered_heads > 0) {
          const std::int64_t in_head = row % head_width;
          to = row - in_head + in_head % (head_width / 2) * 2 + in_head / (head_width / 2);
        }
        for (std::int64_t i = 0; i < rank; ++i) {
          module.b.data_ptr<float>()[to * rank + i] =
              b[static_cast<std::size_t>(row * rank + i)] * 0.25F;
        }
      }
    }
  }

  std::filesystem::path directory_;
  c10::InferenceMode no_autograd_;
};

class Reference : public WithAdapters, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    WithAdapters::SetUp();
    const auto text = read_file(std::filesystem::path(UNDERSTUDY_SOURCE_DIR) /
                                "src/steps/s5_tune/torch/reference_values.json");
    values_ = json::parse(text.value()).value().at(GetParam());
  }

  json::value values_;
};

TEST_P(Reference, LogitsAreThoseOfTransformers) {
  const auto file = lm::GgufFile::open(ReferenceModelFile(GetParam()).write(directory_)).value();
  const DecoderPlan plan = plan_of(file).value();
  BaseWeights weights(file, at::kFloat);
  Decoder decoder(plan, weights, nullptr);
  TokenText text = texts().front();
  text.tokens.push_back(0);
  const std::vector<std::size_t> first = {0};
  const at::Tensor logits = decoder.logits(make_pack({&text, 1}, first));
  const json::array& wanted = values_.at("logits").as_array();
  ASSERT_EQ(logits.size(0), static_cast<std::int64_t>(wanted.size()));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    expect_values(wanted[i], logits[static_cast<std::int64_t>(i)], 1e-4,
                  "row " + std::to_string(i));
  }
}

TEST_P(Reference, GradientsAndTenStepsAreThoseOfPyTorch) {
  const auto file = lm::GgufFile::open(ReferenceModelFile(GetParam()).write(directory_)).value();
  const DecoderPlan plan = plan_of(file).value();
  BaseWeights weights(file, at::kFloat);
  auto adapter = Adapter::create(plan, {.rank = 4, .alpha = 8}, at::kFloat).value();
  fill(adapter);
  Decoder decoder(plan, weights, &adapter);
  AdamW optimiser(adapter, {.weight_decay = 0.01});
  const auto data = texts();
  const std::vector<std::size_t> both = {0, 1};
  const Pack pack = make_pack(data, both);
  pack.weights.div_(static_cast<double>(text_count * (text_length - 1)));
  for (int step = 0; step <= steps; ++step) {
    adapter.gradients().zero_();
    const double loss = decoder.loss_and_gradients(pack, 0).loss;
    const double wanted =
        values_.at("losses").at(static_cast<std::size_t>(step)).to_number<double>();
    ASSERT_NEAR(loss, wanted, 1e-4 * wanted) << "step " << step;
    for (const AdapterModule& module : adapter.modules()) {
      if (step > 0) break;
      const json::value& of = values_.at("gradients").at(name_of(module));
      const double a = of.at("a_norm").to_number<double>();
      const double b = of.at("b_norm").to_number<double>();
      EXPECT_NEAR(module.gradient_a.norm().item<double>(), a, 1e-4 * a) << name_of(module);
      EXPECT_NEAR(module.gradient_b.norm().item<double>(), b, 1e-4 * b) << name_of(module);
      expect_values(of.at("a"), module.gradient_a, 1e-4 * a, name_of(module));
      expect_values(of.at("b"), module.gradient_b, 1e-4 * b, name_of(module));
    }
    if (step < steps) optimiser.step(adapter, step, 1e-2);
  }
  for (const AdapterModule& module : adapter.modules()) {
    const json::value& of = values_.at("parameters").at(name_of(module));
    expect_values(of.at("a"), module.a, 1e-4, name_of(module));
    expect_values(of.at("b"), module.b, 1e-4, name_of(module));
  }
}

// What a program prints; empty where it fails.
std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string output;
  std::array<char, 4096> some{};
  for (std::size_t n = 0; (n = std::fread(some.data(), 1, some.size(), pipe)) > 0;) {
    output.append(some.data(), n);
  }
  return ::pclose(pipe) == 0 ? output : std::string();
}

class PeftDirectory : public WithAdapters {};

TEST_F(PeftDirectory, GivesPlainTorchCodeTheSameLogits) {
  if (output_of("python3 -c 'import torch, transformers; print(1)' 2>/dev/null").empty()) {
    GTEST_SKIP() << "python3-torch or python3-transformers is not installed";
  }
  TokenText text = texts().front();
  text.tokens.push_back(0);
  const std::vector<std::size_t> first = {0};
  const Pack pack = make_pack({&text, 1}, first);
  std::map<std::string, at::Tensor> ours;
  for (const char* name : reference_families) {
    const auto path = ReferenceModelFile(name).write(directory_);
    const auto file = lm::GgufFile::open(path).value();
    const DecoderPlan plan = plan_of(file).value();
    const auto scale = ours.size() % 2 == 0 ? RankScale::by_rank : RankScale::by_root;
    auto adapter =
        Adapter::create(plan, {.rank = 4, .alpha = 8, .rank_scale = scale}, at::kFloat).value();
    fill(adapter);
    BaseWeights weights(file, at::kFloat);
    Decoder decoder(plan, weights, &adapter);
    ours[name] = decoder.logits(pack);
    const double effect =
        ours[name].sub(Decoder(plan, weights, nullptr).logits(pack)).abs().max().item<double>();
    EXPECT_GT(effect, 0.05 * ours[name].abs().max().item<double>()) << name;
    const LoraExport from{.base = file, .base_path = path, .plan = plan, .adapter = adapter};
    ASSERT_TRUE(write_peft_adapter(from, directory_ / name));
  }
  const std::string script = std::string(UNDERSTUDY_SOURCE_DIR) + "/tools/peft_logits.py ";
  const auto theirs = json::parse(output_of("python3 " + script + directory_.string()));
  ASSERT_TRUE(theirs.has_value()) << "the script failed";
  for (const auto& [name, logits] : ours) {
    const json::array& rows = theirs->at(name).as_array();
    ASSERT_EQ(static_cast<std::int64_t>(rows.size()), logits.size(0));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      expect_values(rows[i], logits[static_cast<std::int64_t>(i)], 2e-4, name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Reference, testing::ValuesIn(reference_families),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace understudy::s5
