#include "adapters/lm/hf/convert.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "adapters/lm/gguf_file.hpp"
#include "adapters/lm/safetensors.hpp"
#include "adapters/lm/vocabulary.hpp"
#include "base/files.hpp"
#include "base/json.hpp"

namespace understudy::lm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::int64_t width = 8;
constexpr std::int64_t vocabulary = 260;

std::string utf8(unsigned point) {
  if (point < 0x80) return {static_cast<char>(point)};
  return {static_cast<char>(0xC0U | (point >> 6U)), static_cast<char>(0x80U | (point & 0x3FU))};
}

// The 256 bytes as byte-level tokenizers write them, "ab", and "<|end|>".
json::object byte_level_tokenizer() {
  json::object pieces;
  unsigned other = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printed = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
    pieces[utf8(printed ? byte : other++)] = byte;
  }
  pieces["ab"] = 256;
  return {{"added_tokens",
           json::array{json::object{{"id", 257}, {"content", "<|end|>"}, {"special", true}}}},
          {"normalizer", nullptr},
          {"pre_tokenizer",
           json::object{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
          {"model", json::object{{"type", "BPE"},
                                 {"vocab", std::move(pieces)},
                                 {"merges", json::array{json::array{"a", "b"}}}}}};
}

json::object llama_config() {
  return {{"model_type", "llama"},    {"hidden_size", width},          {"num_hidden_layers", 1},
          {"num_attention_heads", 2}, {"num_key_value_heads", 1},      {"intermediate_size", 16},
          {"vocab_size", vocabulary}, {"max_position_embeddings", 64}, {"rms_norm_eps", 1e-5},
          {"hidden_act", "silu"},     {"tie_word_embeddings", true},   {"eos_token_id", 257}};
}

class ModelDirectory : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/understudy-hf-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    directory_ = root_ / "tiny";
    gguf_ = root_ / "tiny.gguf";
    fs::create_directory(directory_);
    for (const char* norm : {"model.norm", "model.layers.0.input_layernorm",
                             "model.layers.0.post_attention_layernorm"}) {
      shapes_[std::string(norm) + ".weight"] = {width};
    }
    shapes_["model.embed_tokens.weight"] = {vocabulary, width};
    const std::string layer = "model.layers.0.";
    shapes_[layer + "self_attn.q_proj.weight"] = {8, width};
    shapes_[layer + "self_attn.k_proj.weight"] = {4, width};
    shapes_[layer + "self_attn.v_proj.weight"] = {4, width};
    shapes_[layer + "self_attn.o_proj.weight"] = {width, 8};
    shapes_[layer + "mlp.gate_proj.weight"] = {16, width};
    shapes_[layer + "mlp.up_proj.weight"] = {16, width};
    shapes_[layer + "mlp.down_proj.weight"] = {width, 16};
    write();
  }
  void TearDown() override { fs::remove_all(root_); }

  void write() const {
    write_weights("model.safetensors", shapes_);
    put("config.json", json::to_text(config_));
    put("tokenizer.json", json::to_text(tokenizer_));
  }
  void put(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(write_file_atomically(directory_ / name, text));
  }
  void write_weights(const std::string& name,
                     const std::map<std::string, std::vector<std::int64_t>>& shapes) const {
    std::vector<ViewedTensor> tensors;
    const std::vector<float> values(static_cast<std::size_t>(vocabulary * width), 0.5F);
    for (const auto& [tensor, shape] : shapes) {
      std::size_t count = 1;
      for (const std::int64_t side : shape) count *= static_cast<std::size_t>(side);
      tensors.push_back({.name = tensor, .shape = shape, .values = std::span(values).first(count)});
    }
    ASSERT_TRUE(write_safetensors(directory_ / name, {}, tensors));
  }
  [[nodiscard]] Status convert(Stale stale = Stale::kept) const {
    return provide_gguf(directory_, gguf_, stale);
  }
  void expect_refused(ErrorCode code, const std::string& says) const {
    const auto made = convert();
    ASSERT_FALSE(made.has_value()) << "expected: " << says;
    EXPECT_EQ(made.error().code, code) << made.error().to_text();
    EXPECT_THAT(made.error().message, HasSubstr(says));
    EXPECT_FALSE(fs::exists(gguf_)) << says;
    for (const auto& entry : fs::directory_iterator(root_)) {
      EXPECT_FALSE(entry.path().extension() == ".partial") << entry.path();
    }
  }
  // With this value alone changed.
  void expect_config_refused(const char* key, const json::value& value, ErrorCode code,
                             const std::string& says) {
    const json::object before = config_;
    config_[key] = value;
    write();
    expect_refused(code, says);
    config_ = before;
  }
  [[nodiscard]] json::object& model() { return tokenizer_["model"].as_object(); }

  fs::path root_, directory_, gguf_;
  std::map<std::string, std::vector<std::int64_t>> shapes_;
  json::object config_ = llama_config();
  json::object tokenizer_ = byte_level_tokenizer();
};

TEST_F(ModelDirectory, BecomesAFileOfTheOwnerOnceForTheSameContent) {
  ASSERT_TRUE(convert()) << convert().error().to_text();
  EXPECT_EQ(fs::status(gguf_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const auto file = GgufFile::open(gguf_).value();
  EXPECT_EQ(file.find_string("general.architecture"), "llama");
  EXPECT_EQ(file.find_string(source_directory_key), directory_.string());
  EXPECT_EQ(file.find("output.weight"), nullptr);
  const auto tokens = Vocabulary::load(gguf_).value();
  EXPECT_EQ(tokens.size(), static_cast<std::size_t>(vocabulary));  // with two that fill it up
  EXPECT_EQ(tokens.encode("ab"), std::vector<Token>{256});
  EXPECT_TRUE(tokens.ends_text(257));

  const auto made = fs::last_write_time(gguf_);
  ASSERT_TRUE(convert());
  EXPECT_EQ(fs::last_write_time(gguf_), made);
  config_["rms_norm_eps"] = 1e-6;
  write();
  put("config.json", json::to_text(config_).insert(1, R"("limits": [0, Infinity], )"));
  EXPECT_EQ(convert().error().code, ErrorCode::conflict);
  ASSERT_TRUE(convert(Stale::replaced));
  EXPECT_NE(fs::last_write_time(gguf_), made);
}

TEST_F(ModelDirectory, AnotherFileInTheWayStays) {
  ASSERT_TRUE(write_file_atomically(gguf_, "mine"));
  EXPECT_EQ(convert(Stale::replaced).error().code, ErrorCode::conflict);
  EXPECT_EQ(read_file(gguf_).value(), "mine");
}

TEST_F(ModelDirectory, ShardsAreFoundByTheirIndex) {
  auto second = shapes_;
  std::map<std::string, std::vector<std::int64_t>> first = {*second.begin()};
  second.erase(second.begin());
  fs::remove(directory_ / "model.safetensors");
  write_weights("one.safetensors", first);
  write_weights("two.safetensors", second);
  json::object map;
  for (const auto& [name, shape] : first) map[name] = "one.safetensors";
  for (const auto& [name, shape] : second) map[name] = "two.safetensors";
  const auto index = [&](const json::object& files) {
    put("model.safetensors.index.json", json::to_text(json::object{{"weight_map", files}}));
  };
  index(map);
  EXPECT_TRUE(convert());
  fs::remove(gguf_);
  json::object outside = map;
  outside[second.begin()->first] = "../two.safetensors";
  index(outside);
  expect_refused(ErrorCode::corrupt, "../two.safetensors");
  index({{"model.norm.weight", "one.safetensors"}});
  expect_refused(ErrorCode::corrupt, "one.safetensors lacks the tensor model.norm.weight");
  index(map);
  fs::remove(directory_ / "two.safetensors");
  expect_refused(ErrorCode::not_found, "two.safetensors");
  put("model.safetensors.index.json", R"({"weight_map": {"a": 3)");
  expect_refused(ErrorCode::invalid_input, "model.safetensors.index.json");
}

TEST_F(ModelDirectory, DamagedWeightsAreNamed) {
  const std::string whole = read_file(directory_ / "model.safetensors").value();
  put("model.safetensors", whole.substr(0, whole.size() - 7));
  expect_refused(ErrorCode::corrupt, "truncated");
  put("model.safetensors", whole.substr(0, 20));
  expect_refused(ErrorCode::corrupt, "model.safetensors");
  shapes_["model.layers.0.mlp.up_proj.weight"] = {width, 16};
  write();
  expect_refused(ErrorCode::corrupt, "mlp.up_proj.weight is 8 x 16 instead of 16 x 8");
  shapes_.erase("model.layers.0.mlp.up_proj.weight");
  write();
  expect_refused(ErrorCode::corrupt, "lacks the tensor model.layers.0.mlp.up_proj.weight");
  shapes_["model.layers.0.mlp.up_proj.weight"] = {16, width};
  shapes_["model.layers.1.mlp.up_proj.weight"] = {16, width};
  write();
  expect_refused(ErrorCode::unsupported, "model.layers.1.mlp.up_proj.weight");
  fs::remove(directory_ / "model.safetensors");
  put("pytorch_model.bin", "x");
  expect_refused(ErrorCode::not_found, "model.safetensors");
}

TEST_F(ModelDirectory, ModelsThatAreNotComputedHereAreRefused) {
  expect_config_refused("model_type", "mamba9", ErrorCode::unsupported, "\"mamba9\"");
  expect_config_refused("hidden_act", "gelu", ErrorCode::unsupported, "\"hidden_act\" is gelu");
  expect_config_refused("quantization_config", json::object{{"bits", 4}}, ErrorCode::unsupported,
                        "quantised");
  expect_config_refused("rope_scaling", json::object{{"type", "yarn"}, {"factor", 4}},
                        ErrorCode::unsupported, "\"yarn\"");
  expect_config_refused("num_attention_heads", 0, ErrorCode::corrupt, "\"num_attention_heads\"");
  expect_config_refused("vocab_size", 200, ErrorCode::corrupt, "258 tokens, the model 200");
  put("config.json", "{");
  expect_refused(ErrorCode::invalid_input, "config.json");
  fs::remove(directory_ / "config.json");
  expect_refused(ErrorCode::not_found, "config.json");
}

TEST_F(ModelDirectory, LongRopeMustFitItsHeads) {
  const auto scaling = [](const json::array& factors) {
    return json::object{{"type", "longrope"}, {"short_factor", factors}, {"long_factor", factors}};
  };
  expect_config_refused("rope_scaling", scaling({1, 1}), ErrorCode::unsupported, "\"longrope\"");
  config_["model_type"] = "phi3";
  config_["original_max_position_embeddings"] = 16;
  for (const json::array& factors : {json::array{1}, json::array{1, "x"}, json::array{1, -1}}) {
    expect_config_refused("rope_scaling", scaling(factors), ErrorCode::corrupt, "\"long_factor\"");
  }
  config_["original_max_position_embeddings"] = 1 << 20;
  expect_config_refused("rope_scaling", scaling({1, 1}), ErrorCode::corrupt,
                        "\"original_max_position_embeddings\"");
}

TEST_F(ModelDirectory, HybridsThatAreNotComputedHereAreRefused) {
  config_["model_type"] = "falcon_h1";
  for (const char* key : {"mamba_n_heads", "mamba_n_groups", "mamba_d_state", "mamba_d_conv"}) {
    config_[key] = 2;
  }
  expect_config_refused("mamba_d_ssm", "all", ErrorCode::corrupt, "\"mamba_d_ssm\"");
  config_["mamba_d_ssm"] = 16;
  expect_config_refused("mamba_n_groups", 3, ErrorCode::corrupt, "heads and groups");
  expect_config_refused("mamba_rms_norm", true, ErrorCode::unsupported,
                        "\"mamba_norm_before_gate\"");
  expect_config_refused("projectors_bias", true, ErrorCode::unsupported, "\"projectors_bias\"");
  expect_config_refused("time_step_limit", json::array{0, 0.1}, ErrorCode::unsupported,
                        "\"time_step_limit\"");
  expect_config_refused("key_multiplier", 0, ErrorCode::corrupt, "\"key_multiplier\"");
  expect_config_refused("mlp_multipliers", json::array{1}, ErrorCode::corrupt,
                        "\"mlp_multipliers\"");
  expect_config_refused("ssm_multipliers", json::array{1, 1, "1", 1, 1}, ErrorCode::corrupt,
                        "\"ssm_multipliers\"");
  expect_config_refused("time_step_limit", json::array{0, json::object{{"__float__", "Infinity"}}},
                        ErrorCode::corrupt, "lacks the tensor model.final_layernorm.weight");
  config_["model_type"] = "lfm2";
  expect_config_refused("conv_bias", true, ErrorCode::unsupported, "\"conv_bias\"");
  expect_config_refused("layer_types", json::array{"conv", "conv"}, ErrorCode::corrupt,
                        "more or fewer layers");
  expect_config_refused("layer_types", json::array{"sliding"}, ErrorCode::unsupported,
                        "\"sliding\"");
  expect_config_refused("full_attn_idxs", json::array{1}, ErrorCode::corrupt, "\"full_attn_idxs\"");
  expect_config_refused("block_ffn_dim_multiplier", -1, ErrorCode::corrupt,
                        "\"block_ffn_dim_multiplier\"");
  expect_config_refused("conv_L_cache", 0, ErrorCode::corrupt, "\"conv_L_cache\"");
}

TEST_F(ModelDirectory, TokenizersThatLibllamaWouldCutOtherwiseAreRefused) {
  const auto refused = [&](ErrorCode code, const std::string& says) {
    write();
    expect_refused(code, says);
    tokenizer_ = byte_level_tokenizer();
  };
  tokenizer_["pre_tokenizer"] = json::object{{"type", "Whitespace"}};
  refused(ErrorCode::unsupported, "Whitespace");
  tokenizer_["pre_tokenizer"] = json::object{
      {"type", "Split"}, {"pattern", json::object{{"Regex", "\\d+"}}}, {"behavior", "Isolated"}};
  refused(ErrorCode::unsupported, "split \\d+");
  tokenizer_["normalizer"] = json::object{{"type", "Lowercase"}};
  refused(ErrorCode::unsupported, "Lowercase");
  model()["type"] = "Unigram";
  refused(ErrorCode::unsupported, "\"Unigram\"");
  model()["ignore_merges"] = true;
  refused(ErrorCode::unsupported, "whole words are taken");
  model()["merges"] = json::array{"a b", "ab c"};
  refused(ErrorCode::corrupt, "\"ab\" and \"c\"");
  model()["vocab"].as_object()["abc"] = 256;
  refused(ErrorCode::corrupt, "the id 256");
  put("tokenizer.json", R"({"model": )");
  expect_refused(ErrorCode::invalid_input, "tokenizer.json");
}

TEST(ModelDirectoryName, IsThatOfTheModelInADownloadCacheToo) {
  EXPECT_EQ(name_of_model_directory("/models/Qwen3-0.6B/"), "Qwen3-0.6B");
  EXPECT_EQ(name_of_model_directory("/c/models--Qwen--Qwen3-0.6B/snapshots/c1899de2"),
            "Qwen3-0.6B");
}

}  // namespace
}  // namespace understudy::lm
