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

constexpr std::int64_t tiny_window = 40;  // shorter than the texts of the tests
constexpr std::int64_t state_taps = 4;
constexpr std::int64_t short_taps = 3;
constexpr std::int64_t state_inner = 64;
constexpr std::int64_t state_size = 16;
constexpr std::int64_t state_heads = 4;
constexpr std::int64_t state_groups = 2;

std::int64_t block_of(lm::StoredAs type) {
  switch (type) {
    case lm::StoredAs::q6_k:
    case lm::StoredAs::q5_k:
    case lm::StoredAs::q4_k: return 256;
    case lm::StoredAs::q8_0:
    case lm::StoredAs::q4_0: return 32;
    default: return 1;
  }
}

class Writer {
 public:
  explicit Writer(const TinyModel& model) : model_(model), random_(model.seed) {}

  Status write(const std::filesystem::path& path) {
    set_keys();
    file_.set_vocabulary(byte_tokens(model_.vocabulary));
    matrix("token_embd", model_.vocabulary, model_.width, model_.embedding_deviation);
    for (std::int64_t i = 0; i < model_.layers; ++i) add_layer(i);
    norm(is("lfm2") ? "token_embd_norm" : "output_norm");
    if (!model_.tied) matrix("output", model_.vocabulary, model_.width, 0.1);
    if (is("phi2")) bias("output", model_.vocabulary);
    if (model_.context_before > 0) add_long_rope();
    return file_.write(path);
  }

 private:
  [[nodiscard]] bool is(const char* architecture) const {
    return model_.architecture == architecture;
  }
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
    if (is("nemotron_h")) {
      set_hybrid_keys();
    } else {
      set("feed_forward_length", model_.feed_forward);
      set("attention.head_count", model_.heads);
      if (!is("lfm2")) set("attention.head_count_kv", model_.kv_heads);
    }
    if (is("lfm2")) set_convolution_keys();
    if (is("falcon-h1")) set_state_keys();
    set("attention.key_length", model_.head_width);
    set("attention.value_length", model_.head_width);
    set("attention.layer_norm_rms_epsilon", 1e-5F);
    if (is("phi2") || is("nemotron_h")) set("attention.layer_norm_epsilon", 1e-5F);
    set("rope.dimension_count", is("phi2") ? model_.head_width / 2 : model_.head_width);
    set("rope.freq_base", 10'000.0F);
    set("vocab_size", model_.vocabulary);
    if (is("gemma2") || is("gemma3")) set("attention.sliding_window", tiny_window);
    if (is("gemma2")) {
      set("attn_logit_softcapping", 5.0F);
      set("final_logit_softcapping", 8.0F);
    }
    if (is("phi3")) set("attention.sliding_window", model_.context);
    if (is("granite")) {
      set("embedding_scale", 3.0F);
      set("residual_scale", 0.7F);
      set("attention.scale", 0.2F);
      set("logit_scale", 2.0F);
    }
  }

  void add_long_rope() {
    set("rope.scaling.original_context_length", model_.context_before);
    set("rope.scaling.attn_factor", 1.2F);
    for (const auto& [name, step] : {std::pair("short", 0.1F), std::pair("long", 1.0F)}) {
      std::vector<float> factors;
      for (std::int64_t i = 0; i < model_.head_width / 2; ++i) {
        factors.push_back(1 + step * static_cast<float>(i));
      }
      file_.add({.name = std::string("rope_factors_") + name + ".weight",
                 .columns = model_.head_width / 2},
                factors);
    }
  }

  void set_hybrid_keys() {
    std::vector<std::int32_t> widths, kv_heads;
    for (std::int64_t i = 0; i < model_.layers; ++i) {
      kv_heads.push_back(i % 3 == 1 ? static_cast<std::int32_t>(model_.kv_heads) : 0);
      widths.push_back(i % 3 == 2 ? static_cast<std::int32_t>(model_.feed_forward) : 0);
    }
    file_.set("nemotron_h.feed_forward_length", widths);
    file_.set("nemotron_h.attention.head_count_kv", kv_heads);
    set("attention.head_count", model_.heads);
    set_state_keys();
  }

  void set_state_keys() {
    set("ssm.conv_kernel", state_taps);
    set("ssm.inner_size", state_inner);
    set("ssm.state_size", state_size);
    set("ssm.time_step_rank", state_heads);
    set("ssm.group_count", state_groups);
  }

  void set_convolution_keys() {
    std::vector<std::int32_t> kv_heads;
    for (std::int64_t i = 0; i < model_.layers; ++i) {
      kv_heads.push_back(convolves(i) ? 0 : static_cast<std::int32_t>(model_.kv_heads));
    }
    file_.set("lfm2.attention.head_count_kv", kv_heads);
    set("shortconv.l_cache", short_taps);
  }
  [[nodiscard]] bool convolves(std::int64_t layer) const { return is("lfm2") && layer % 3 != 1; }

  std::vector<float> normal(std::int64_t count, double mean, double deviation) {
    std::normal_distribution<float> values(static_cast<float>(mean), static_cast<float>(deviation));
    std::vector<float> drawn(static_cast<std::size_t>(count));
    for (float& value : drawn) value = values(random_);
    return drawn;
  }
  void matrix(const std::string& name, std::int64_t rows, std::int64_t columns, double deviation) {
    const bool whole = columns % block_of(model_.matrices) == 0;
    file_.add({.name = name + ".weight",
               .rows = rows,
               .columns = columns,
               .type = whole ? model_.matrices : lm::StoredAs::q8_0},
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

  void norm(const std::string& name) {
    gains(name, model_.width);
    if (is("phi2")) bias(name, model_.width);
  }
  // With a bias where the family has them everywhere.
  void biased_linear(const std::string& name, std::int64_t rows, std::int64_t columns) {
    linear(name, rows, columns);
    if (is("phi2")) bias(name, rows);
  }

  void add_attention(const std::string& block) {
    const std::int64_t q = model_.heads * model_.head_width;
    const std::int64_t kv = model_.kv_heads * model_.head_width;
    if (is("phi3")) {
      linear(block + "attn_qkv", q + 2 * kv, model_.width);
    } else {
      biased_linear(block + "attn_q", q, model_.width);
      biased_linear(block + "attn_k", kv, model_.width);
      biased_linear(block + "attn_v", kv, model_.width);
    }
    if (is("qwen2")) {
      bias(block + "attn_q", q);
      bias(block + "attn_k", kv);
      bias(block + "attn_v", kv);
    }
    if (is("qwen3") || is("gemma3") || is("lfm2")) {
      gains(block + "attn_q_norm", model_.head_width);
      gains(block + "attn_k_norm", model_.head_width);
    }
    biased_linear(block + "attn_output", model_.width, q);
  }

  void add_feed_forward(const std::string& block) {
    const bool plain = is("phi2") || is("nemotron_h");
    if (!is("phi3") && !plain) linear(block + "ffn_gate", model_.feed_forward, model_.width);
    biased_linear(block + "ffn_up", (is("phi3") ? 2 : 1) * model_.feed_forward, model_.width);
    biased_linear(block + "ffn_down", model_.width, model_.feed_forward);
  }

  void add_state_space(const std::string& block) {
    const std::int64_t convolved = state_inner + 2 * state_groups * state_size;
    linear(block + "ssm_in", state_inner + convolved + state_heads, model_.width);
    file_.add({.name = block + "ssm_conv1d.weight", .rows = convolved, .columns = state_taps},
              normal(convolved * state_taps, 0, 0.4));
    bias(block + "ssm_conv1d", convolved);
    bias(block + "ssm_dt", state_heads);
    file_.add({.name = block + "ssm_a", .rows = state_heads, .columns = 1},
              normal(state_heads, -1, 0.3));
    file_.add({.name = block + "ssm_d", .rows = state_heads, .columns = 1},
              normal(state_heads, 1, 0.3));
    if (!is("falcon-h1")) add_state_norm(block);
    linear(block + "ssm_out", model_.width, state_inner);
  }

  void add_state_norm(const std::string& block) {
    file_.add({.name = block + "ssm_norm.weight",
               .rows = state_groups,
               .columns = state_inner / state_groups},
              normal(state_inner, 1, 0.1));
  }

  void add_short_convolution(const std::string& block) {
    linear(block + "shortconv.in_proj", 3 * model_.width, model_.width);
    file_.add(
        {.name = block + "shortconv.conv.weight", .rows = model_.width, .columns = short_taps},
        normal(model_.width * short_taps, 0, 0.4));
    linear(block + "shortconv.out_proj", model_.width, model_.width);
  }

  void add_layer(std::int64_t layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    norm(block + "attn_norm");
    if (is("nemotron_h")) {
      switch (layer % 3) {
        case 0: return add_state_space(block);
        case 1: return add_attention(block);
        default: return add_feed_forward(block);
      }
    }
    if (convolves(layer)) {
      add_short_convolution(block);
    } else {
      add_attention(block);
    }
    if (is("falcon-h1")) {
      add_state_space(block);
      file_.add({.name = block + "ffn_norm", .columns = model_.width},
                normal(model_.width, 1, 0.1));
    } else if (!is("phi2")) {
      gains(block + "ffn_norm", model_.width);
    }
    add_feed_forward(block);
    if (is("gemma2") || is("gemma3")) {
      gains(block + "post_attention_norm", model_.width);
      gains(block + "post_ffw_norm", model_.width);
    }
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
