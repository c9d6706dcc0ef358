// Hugging Face directories as bases: what transformers and tokenizers compute for a directory, our
// forward pass, libllama and its vocabulary compute for the GGUF file that it is converted to.
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include "adapters/lm/hf/convert.hpp"
#include "adapters/lm/reference_model.hpp"
#include "adapters/lm/vocabulary.hpp"
#include "base/json.hpp"
#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/decoder.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"
#include "steps/s5_tune/torch/lora_export.hpp"

namespace understudy::s5 {
namespace {

constexpr std::string_view chat = "<|user|>\nHello there<|end|>\n<|assistant|>\n";

// What a program prints; empty where it fails.
std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string output;
  std::array<char, 65536> some{};
  for (std::size_t n = 0; (n = std::fread(some.data(), 1, some.size(), pipe)) > 0;) {
    output.append(some.data(), n);
  }
  return ::pclose(pipe) == 0 ? output : std::string();
}

std::vector<lm::Token> tokens_of(const json::value& list) {
  std::vector<lm::Token> tokens;
  for (const json::value& id : list.as_array()) {
    tokens.push_back(static_cast<lm::Token>(id.as_int64()));
  }
  return tokens;
}

// The largest difference from the expected rows, in units of their largest value.
template <class Row>
double apart(const json::value& expected, const Row& row_of) {
  double apart = 0;
  double largest = 0;
  const json::array& rows = expected.as_array();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json::array& row = rows[i].as_array();
    const float* ours = row_of(i);
    for (std::size_t j = 0; j < row.size(); ++j) {
      const double theirs = row[j].to_number<double>();
      apart = std::max(apart, std::abs(theirs - static_cast<double>(ours[j])));
      largest = std::max(largest, std::abs(theirs));
    }
  }
  return apart / largest;
}

void expect_logits(const std::string& name, const std::filesystem::path& gguf,
                   const json::value& theirs) {
  const auto ids = tokens_of(theirs.at("ids"));
  const auto file = lm::GgufFile::open(gguf).value();
  const auto plan = plan_of(file);
  ASSERT_TRUE(plan.has_value()) << name << ": " << plan.error().to_text();
  BaseWeights weights(file, at::kFloat);
  TokenText text{.tokens = ids, .prompt_tokens = 1};
  text.tokens.push_back(0);  // every token of `ids` predicts one
  const std::vector<std::size_t> first = {0};
  const at::Tensor ours = Decoder(*plan, weights, nullptr).logits(make_pack({&text, 1}, first));
  ASSERT_EQ(ours.size(0), static_cast<std::int64_t>(ids.size())) << name;
  EXPECT_LT(apart(theirs.at("logits"),
                  [&](std::size_t i) {
                    return ours.const_data_ptr<float>() +
                           static_cast<std::int64_t>(i) * ours.size(1);
                  }),
            2e-3)
      << name;
  const bool rounded = name == "qwen2";  // in bf16, for which libllama rounds activations, too
  const auto served = lm::ReferenceModel::open(gguf).value().logits(ids).value();
  EXPECT_LT(apart(theirs.at("logits"), [&](std::size_t i) { return served[i].data(); }),
            rounded ? 5e-2 : 2e-3)
      << name;
}

void expect_tokens(const std::string& name, const std::filesystem::path& gguf,
                   const json::value& theirs) {
  const auto vocabulary = lm::Vocabulary::load(gguf).value();
  for (const json::value& pair : theirs.at("texts").as_array()) {
    const std::string text(pair.at(0).as_string());
    if (text.contains("\xCC\x81") && (name == "qwen2" || name == "qwen3")) continue;  // not NFC
    if (text.starts_with(' ') && name == "mistral") continue;  // libllama adds another mark
    EXPECT_EQ(vocabulary.encode(text), tokens_of(pair.at(1))) << name << ": " << text;
  }
  const auto talk = tokens_of(theirs.at("chat"));
  if (!talk.empty()) {
    EXPECT_EQ(vocabulary.encode_template(chat), talk) << name;
  }
  const auto begin = tokens_of(theirs.at("begin"));
  EXPECT_EQ(vocabulary.begins_texts(), !begin.empty()) << name;
  if (!begin.empty()) {
    EXPECT_EQ(vocabulary.begin(), begin.front()) << name;
  }
  EXPECT_TRUE(vocabulary.ends_text(vocabulary.encode_template("<|end|>").front())) << name;
  EXPECT_TRUE(vocabulary.metadata("tokenizer.chat_template").has_value()) << name;
}

// A converted base with an adapter of arbitrary values.
class Adapted {
 public:
  Adapted(const std::filesystem::path& gguf, bool magnitudes)
      : path_(gguf),
        file_(lm::GgufFile::open(gguf).value()),
        plan_(plan_of(file_).value()),
        weights_(file_, at::kFloat),
        adapter_(filled(plan_, {.rank = 4, .alpha = 8, .magnitudes = magnitudes})),
        decoder_(plan_, weights_, &adapter_) {}

  [[nodiscard]] Status write_peft(const std::filesystem::path& directory) const {
    return write_peft_adapter(
        {.base = file_, .base_path = path_, .plan = plan_, .adapter = adapter_}, directory);
  }
  [[nodiscard]] at::Tensor logits(const Pack& pack) { return decoder_.logits(pack); }
  [[nodiscard]] at::Tensor base_logits(const Pack& pack) {
    return Decoder(plan_, weights_, nullptr).logits(pack);
  }

 private:
  static Adapter filled(const DecoderPlan& plan, const AdapterOptions& options) {
    Adapter adapter = Adapter::create(plan, options, at::kFloat).value();
    for (const AdapterModule& module : adapter.modules()) {
      for (std::int64_t i = 0; i < module.b.numel(); ++i) {
        module.b.data_ptr<float>()[i] = 0.2F * std::sin(static_cast<float>(7 * i + module.layer));
      }
    }
    return adapter;
  }

  std::filesystem::path path_;
  lm::GgufFile file_;
  DecoderPlan plan_;
  BaseWeights weights_;
  Adapter adapter_;
  Decoder decoder_;
};

class HfBase : public testing::Test {
 protected:
  void SetUp() override {
    if (output_of("python3 -c 'import torch, transformers; print(1)' 2>/dev/null").empty()) {
      GTEST_SKIP() << "python3-torch or python3-transformers is not installed";
    }
    at::set_num_threads(1);
    std::string made = "/tmp/understudy-hf-test-XXXXXX";
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    directory_ = made;
  }
  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  // What a script of tools/ prints that is given the directory and further words.
  [[nodiscard]] Result<json::value> printed_by(const std::string& script,
                                               const std::string& words = {}) const {
    const std::string log = (directory_ / "log").string();
    auto tree = json::parse(output_of("python3 " UNDERSTUDY_SOURCE_DIR "/tools/" + script + " " +
                                      directory_.string() + " " + words + " 2>" + log));
    EXPECT_TRUE(tree.has_value()) << script << " failed: " << output_of("tail -5 " + log);
    return tree;
  }
  [[nodiscard]] std::filesystem::path converted(const std::string& name) const {
    auto gguf = directory_ / (name + ".gguf");
    const auto made = lm::provide_gguf(directory_ / name, gguf, lm::Stale::replaced);
    EXPECT_TRUE(made.has_value()) << name << ": " << made.error().to_text();
    return made ? gguf : std::filesystem::path();
  }

  std::filesystem::path directory_;
  c10::InferenceMode no_autograd_;
};

TEST_F(HfBase, ComputesAndCutsTextsAsItsOwnLibrariesDo) {
  const auto theirs = printed_by("hf_directories.py");
  ASSERT_TRUE(theirs.has_value());
  EXPECT_GE(theirs->as_object().size(), 18U);
  for (const auto& entry : theirs->as_object()) {
    const std::string name(entry.key());
    const auto gguf = converted(name);
    if (gguf.empty()) continue;
    expect_logits(name, gguf, entry.value());
    expect_tokens(name, gguf, entry.value());
  }
}

// Falcon-H1's weights are multiplied on their way into the GGUF file, one part by a negative
// number; LFM2 has adapters around its convolution, too.
TEST_F(HfBase, AdaptersGivePlainTorchCodeTheSameLogits) {
  const std::string names = "lfm2 falcon_h1 falcon_h1_normed";
  ASSERT_TRUE(printed_by("hf_directories.py", names).has_value());
  std::map<std::string, Adapted> ours;
  for (const char* name : {"lfm2", "falcon_h1", "falcon_h1_normed"}) {
    const auto gguf = converted(name);
    ASSERT_FALSE(gguf.empty());
    const std::string peft = std::string(name) + "_peft";
    const bool magnitudes = std::string_view(name) == "falcon_h1_normed";
    const auto& made = ours.try_emplace(peft, gguf, magnitudes).first->second;
    ASSERT_TRUE(made.write_peft(directory_ / peft).has_value());
  }
  const auto theirs = printed_by("peft_logits.py");
  ASSERT_TRUE(theirs.has_value());
  TokenText text{.tokens = tokens_of(theirs->at("tokens")), .prompt_tokens = 1};
  text.tokens.push_back(0);
  const std::vector<std::size_t> first = {0};
  const Pack pack = make_pack({&text, 1}, first);
  for (auto& [name, adapted] : ours) {
    const auto apart_from = [&](const at::Tensor& rows) {
      return apart(theirs->at(name), [&](std::size_t i) {
        return rows.const_data_ptr<float>() + static_cast<std::int64_t>(i) * rows.size(1);
      });
    };
    EXPECT_LT(apart_from(adapted.logits(pack)), 2e-4) << name;
    EXPECT_GT(apart_from(adapted.base_logits(pack)), 0.05) << name;
  }
}

}  // namespace
}  // namespace understudy::s5
