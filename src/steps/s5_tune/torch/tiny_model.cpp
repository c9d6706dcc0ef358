#include "steps/s5_tune/torch/tiny_model.hpp"

#include <cmath>
#include <random>
#include <vector>

#include "adapters/lm/gguf_builder.hpp"

namespace understudy::s5 {

namespace {

lm::TokenTable byte_tokens(std::int64_t count) {
  lm::TokenTable tokens{
      .pieces = {"<unk>", "<s>", "</s>"},
      .scores = {0, 0, 0},
      .types = {lm::TokenType::unknown, lm::TokenType::control, lm::TokenType::control}};
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (std::size_t byte = 0; byte < 256; ++byte) {
    tokens.pieces.push_back({'<', '0', 'x', digits[byte / 16], digits[byte % 16], '>'});
    tokens.types.push_back(lm::TokenType::byte);
  }
  while (static_cast<std::int64_t>(tokens.pieces.size()) < count) {
    tokens.pieces.push_back("<unused" + std::to_string(tokens.pieces.size()) + ">");
    tokens.types.push_back(lm::TokenType::user_defined);
  }
  tokens.scores.resize(tokens.pieces.size(), 0);
  return tokens;
}

class Writer {
 public:
  explicit Writer(const TinyModel& model) : model_(model), random_(model.seed) {}

  Status write(const std::filesystem::path& path) {
    set_keys();
    file_.set_vocabulary(byte_tokens(model_.vocabulary));
    matrix("token_embd", model_.vocabulary, model_.width, 0.5);
    for (std::int64_t i = 0; i < model_.layers; ++i) add_layer("blk." + std::to_string(i) + ".");
    gains("output_norm", model_.width);
    if (!model_.tied) matrix("output", model_.vocabulary, model_.width, 0.1);
    return file_.write(path);
  }

 private:
  void set(const std::string& key, std::int64_t value) {
    file_.set(model_.architecture + "." + key, static_cast<std::uint32_t>(value));
  }
  void set(const std::string& key, float value) {
    file_.set(model_.architecture + "." + key, value);
  }

  void set_keys() {
    file_.set("general.architecture", model_.architecture);
    file_.set("general.name", "tiny");  // libllama wants some tokens of what is named like Phi-3
    set("context_length", model_.context);
    set("embedding_length", model_.width);
    set("block_count", model_.layers);
    set("feed_forward_length", model_.feed_forward);
    set("attention.head_count", model_.heads);
    set("attention.head_count_kv", model_.kv_heads);
    set("attention.key_length", model_.head_width);
    set("attention.value_length", model_.head_width);
    set("attention.layer_norm_rms_epsilon", 1e-5F);
    set("rope.dimension_count", model_.head_width);
    set("rope.freq_base", 10'000.0F);
    set("vocab_size", model_.vocabulary);
    if (model_.architecture == "phi3") set("attention.sliding_window", model_.context);
    if (model_.architecture == "granite") {
      set("embedding_scale", 3.0F);
      set("residual_scale", 0.7F);
      set("attention.scale", 0.2F);
      set("logit_scale", 2.0F);
    }
  }

  std::vector<float> normal(std::int64_t count, double mean, double deviation) {
    std::normal_distribution<float> values(static_cast<float>(mean), static_cast<float>(deviation));
    std::vector<float> drawn(static_cast<std::size_t>(count));
    for (float& value : drawn) value = values(random_);
    return drawn;
  }
  void matrix(const std::string& name, std::int64_t rows, std::int64_t columns, double deviation) {
    file_.add({.name = name + ".weight", .rows = rows, .columns = columns, .type = model_.matrices},
              normal(rows * columns, 0, deviation));
  }
  void linear(const std::string& name, std::int64_t rows, std::int64_t columns) {
    matrix(name, rows, columns, 1 / std::sqrt(static_cast<double>(columns)));
  }
  void gains(const std::string& name, std::int64_t width) {
    file_.add({.name = name + ".weight", .columns = width}, normal(width, 1, 0.1));
  }
  void bias(const std::string& name, std::int64_t width) {
    file_.add({.name = name + ".bias", .columns = width}, normal(width, 0, 0.2));
  }

  void add_layer(const std::string& block) {
    const std::int64_t q = model_.heads * model_.head_width;
    const std::int64_t kv = model_.kv_heads * model_.head_width;
    gains(block + "attn_norm", model_.width);
    if (model_.architecture == "phi3") {
      linear(block + "attn_qkv", q + 2 * kv, model_.width);
    } else {
      linear(block + "attn_q", q, model_.width);
      linear(block + "attn_k", kv, model_.width);
      linear(block + "attn_v", kv, model_.width);
    }
    if (model_.architecture == "qwen2") {
      bias(block + "attn_q", q);
      bias(block + "attn_k", kv);
      bias(block + "attn_v", kv);
    }
    if (model_.architecture == "qwen3") {
      gains(block + "attn_q_norm", model_.head_width);
      gains(block + "attn_k_norm", model_.head_width);
    }
    linear(block + "attn_output", model_.width, q);
    gains(block + "ffn_norm", model_.width);
    if (model_.architecture != "phi3")
      linear(block + "ffn_gate", model_.feed_forward, model_.width);
    linear(block + "ffn_up", (model_.architecture == "phi3" ? 2 : 1) * model_.feed_forward,
           model_.width);
    linear(block + "ffn_down", model_.width, model_.feed_forward);
  }

  const TinyModel& model_;
  std::mt19937_64 random_;
  lm::GgufBuilder file_;
};

}  // namespace

Status write_tiny_model(const std::filesystem::path& path, const TinyModel& model) {
  return Writer(model).write(path);
}

}  // namespace understudy::s5
