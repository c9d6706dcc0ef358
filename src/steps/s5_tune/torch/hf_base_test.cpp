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

#include "adapters/lm/hf/convert.hpp"
#include "adapters/lm/reference_model.hpp"
#include "adapters/lm/vocabulary.hpp"
#include "base/json.hpp"
#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/decoder.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"

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

TEST(HfBase, ComputesAndCutsTextsAsItsOwnLibrariesDo) {
  if (output_of("python3 -c 'import torch, transformers; print(1)' 2>/dev/null").empty()) {
    GTEST_SKIP() << "python3-torch or python3-transformers is not installed";
  }
  const c10::InferenceMode no_autograd;
  at::set_num_threads(1);
  std::string made = "/tmp/understudy-hf-test-XXXXXX";
  ASSERT_NE(::mkdtemp(made.data()), nullptr);
  const std::filesystem::path directory = made;
  const auto theirs = json::parse(output_of(
      "python3 " UNDERSTUDY_SOURCE_DIR "/tools/hf_directories.py " + made + " 2>" + made + "/log"));
  ASSERT_TRUE(theirs.has_value()) << "the script failed: " << output_of("tail -5 " + made + "/log");
  EXPECT_GE(theirs->as_object().size(), 12U);
  for (const auto& entry : theirs->as_object()) {
    const std::string name(entry.key());
    const auto gguf = directory / (name + ".gguf");
    const auto converted = lm::provide_gguf(directory / name, gguf, lm::Stale::replaced);
    EXPECT_TRUE(converted.has_value()) << name << ": " << converted.error().to_text();
    if (!converted) continue;
    expect_logits(name, gguf, entry.value());
    expect_tokens(name, gguf, entry.value());
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace understudy::s5
