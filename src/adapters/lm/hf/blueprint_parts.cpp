#include "adapters/lm/hf/blueprint_parts.hpp"

#include <utility>

namespace understudy::lm {

namespace {

constexpr std::int64_t layers_max = 10'000;

}  // namespace

Result<DecoderShape> read_shape(const ModelConfig& config, const ShapeDefaults& defaults) {
  const auto count = [&](std::string_view key, std::int64_t otherwise) {
    return otherwise > 0 ? config.count_or(key, otherwise) : config.count(key);
  };
  DecoderShape shape;
  shape.context = TRY(count("max_position_embeddings", defaults.context));
  shape.width = TRY(config.count("hidden_size"));
  shape.layers = TRY(count("num_hidden_layers", defaults.layers));
  shape.heads = TRY(count("num_attention_heads", defaults.heads));
  shape.kv_heads = TRY(config.count_or("num_key_value_heads",
                                       defaults.kv_heads > 0 ? defaults.kv_heads : shape.heads));
  shape.head_width = TRY(config.count_or(
      "head_dim", defaults.head_width > 0 ? defaults.head_width : shape.width / shape.heads));
  shape.feed_forward = TRY(count("intermediate_size", defaults.feed_forward));
  shape.vocabulary = TRY(count("vocab_size", defaults.vocabulary));
  shape.norm_epsilon = config.number("rms_norm_eps").value_or(shape.norm_epsilon);
  if (shape.layers > layers_max || shape.head_width <= 0 || shape.head_width % 2 != 0 ||
      shape.heads % shape.kv_heads != 0) {
    return fail(ErrorCode::corrupt, config.name() + ": its layers and heads do not fit each other");
  }
  return shape;
}

ArchitectureKeys::ArchitectureKeys(GgufBuilder& file, std::string architecture)
    : file_(file), architecture_(std::move(architecture)) {
  file_.set("general.architecture", architecture_);
}

void ArchitectureKeys::set(std::string_view key, std::int64_t value) const {
  file_.set(architecture_ + "." + std::string(key), static_cast<std::uint32_t>(value));
}

void ArchitectureKeys::set_number(std::string_view key, double value) const {
  file_.set(architecture_ + "." + std::string(key), static_cast<float>(value));
}

void ArchitectureKeys::set_shape(const DecoderShape& shape) const {
  set("context_length", shape.context);
  set("embedding_length", shape.width);
  set("block_count", shape.layers);
  set("feed_forward_length", shape.feed_forward);
  set("attention.head_count", shape.heads);
  set("attention.head_count_kv", shape.kv_heads);
  set("attention.key_length", shape.head_width);
  set("attention.value_length", shape.head_width);
  set_number("attention.layer_norm_rms_epsilon", shape.norm_epsilon);
  set("vocab_size", shape.vocabulary);
}

Status ArchitectureKeys::set_rope(const ModelConfig& config, const DecoderShape& shape,
                                  double base) const {
  const RopeConfig rope = config.rope(base);
  const bool long_rope = rope.type == "longrope" && architecture_ == "phi3";
  if (rope.type != "default" && rope.type != "linear" && rope.type != "llama3" && !long_rope) {
    return fail(ErrorCode::unsupported,
                config.name() + " stretches its context by \"" + rope.type + "\" RoPE scaling",
                "Models without RoPE scaling, with linear scaling, with Llama 3's factors or with "
                "Phi-3's can be trained.");
  }
  if (rope.type == "llama3" && architecture_ != "llama") {
    return fail(ErrorCode::unsupported,
                config.name() + ": Llama 3's RoPE factors outside of a llama model");
  }
  if (!(rope.turned_share > 0 && rope.turned_share <= 1)) {
    return fail(ErrorCode::corrupt, config.name() + " has no sound \"partial_rotary_factor\"");
  }
  const auto turned =
      static_cast<std::int64_t>(static_cast<double>(shape.head_width) * rope.turned_share);
  set("rope.dimension_count", turned);
  set_number("rope.freq_base", rope.base);
  if (rope.type == "linear") {
    file_.set(architecture_ + ".rope.scaling.type", "linear");
    set_number("rope.scaling.factor", rope.factor);
  }
  return {};
}

std::vector<RowFactor> all_rows(std::int64_t rows, double factor) {
  if (factor == 1) return {};
  return {{.rows = rows, .factor = factor}};
}

std::string hf_layer(std::int64_t layer) { return "model.layers." + std::to_string(layer) + "."; }
std::string gguf_layer(std::int64_t layer) { return "blk." + std::to_string(layer) + "."; }

void DecoderRules::add_ends(const ModelConfig& config, const EndRules& ends) {
  const bool tied = ends.tied.value_or(config.flag_or("tie_word_embeddings", false));
  const bool one_table = ends.embedding_factor == ends.head_factor;
  TensorRule head{.hf = "lm_head.weight",
                  .gguf = "output.weight",
                  .rows = shape_.vocabulary,
                  .columns = shape_.width,
                  .factors = all_rows(shape_.vocabulary, ends.head_factor),
                  .optional = tied || one_table};
  TensorRule table = head;
  table.hf = "model.embed_tokens.weight";
  table.optional = false;
  if (tied && !one_table) add(table);
  if (tied) head.gguf.clear();  // a copy of the table in the file is left out
  table.gguf = "token_embd.weight";
  table.factors = all_rows(shape_.vocabulary, ends.embedding_factor);
  add(std::move(table));
  add({.hf = std::string(ends.hf_norm) + ".weight",
       .gguf = std::string(ends.gguf_norm) + ".weight",
       .columns = shape_.width,
       .change = ends.of_norm});
  add(std::move(head));
}

void DecoderRules::add_norm(std::int64_t layer, const char* hf, const char* gguf, Change change) {
  add({.hf = hf_layer(layer) + hf + ".weight",
       .gguf = gguf_layer(layer) + gguf + ".weight",
       .columns = shape_.width,
       .change = change});
}

void DecoderRules::add_linear(std::int64_t layer, const std::string& hf, const char* gguf,
                              std::int64_t rows, std::int64_t columns,
                              std::int64_t reordered_heads) {
  const Change change = reordered_heads > 0 ? Change::pairs_adjacent : Change::none;
  add({.hf = hf_layer(layer) + hf + ".weight",
       .gguf = gguf_layer(layer) + gguf + ".weight",
       .rows = rows,
       .columns = columns,
       .change = change,
       .heads = reordered_heads});
  add({.hf = hf_layer(layer) + hf + ".bias",
       .gguf = gguf_layer(layer) + gguf + ".bias",
       .columns = rows,
       .change = change,
       .heads = reordered_heads,
       .optional = true});
}

void DecoderRules::add_matrix(std::int64_t layer, const std::string& hf, const char* gguf,
                              std::int64_t rows, std::int64_t columns,
                              std::vector<RowFactor> factors) {
  add({.hf = hf_layer(layer) + hf + ".weight",
       .gguf = gguf_layer(layer) + gguf + ".weight",
       .rows = rows,
       .columns = columns,
       .factors = std::move(factors)});
}

void DecoderRules::add_attention(std::int64_t layer, HeadRows head_rows, const std::string& branch,
                                 const std::string& output) {
  const bool reordered = head_rows == HeadRows::reordered;
  add_linear(layer, branch + ".q_proj", "attn_q", shape_.query_width(), shape_.width,
             reordered ? shape_.heads : 0);
  add_linear(layer, branch + ".k_proj", "attn_k", shape_.kv_width(), shape_.width,
             reordered ? shape_.kv_heads : 0);
  add_linear(layer, branch + ".v_proj", "attn_v", shape_.kv_width(), shape_.width);
  add_linear(layer, branch + "." + output, "attn_output", shape_.width, shape_.query_width());
}

void DecoderRules::add_query_key_norms(std::int64_t layer, Change change) {
  for (const char* side : {"q_norm", "k_norm"}) {
    add({.hf = hf_layer(layer) + "self_attn." + side + ".weight",
         .gguf = gguf_layer(layer) + "attn_" + side + ".weight",
         .columns = shape_.head_width,
         .change = change});
  }
}

void DecoderRules::add_gated(std::int64_t layer) {
  add_linear(layer, "mlp.gate_proj", "ffn_gate", shape_.feed_forward, shape_.width);
  add_linear(layer, "mlp.up_proj", "ffn_up", shape_.feed_forward, shape_.width);
  add_linear(layer, "mlp.down_proj", "ffn_down", shape_.width, shape_.feed_forward);
}

Result<Blueprint> plain_blueprint(const ModelConfig& config, const ArchitectureKeys& keys,
                                  const DecoderShape& shape, PlainLayers layers) {
  TRY(config.expect("hidden_act", {"silu"}));
  TRY(keys.set_rope(config, shape));
  keys.set_shape(shape);
  Blueprint blueprint{.architecture = keys.architecture(), .vocabulary = shape.vocabulary};
  DecoderRules rules(blueprint, shape);
  rules.add_ends(config);
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    rules.add_norm(i, "input_layernorm", "attn_norm");
    rules.add_attention(i, layers.head_rows);
    if (layers.query_key_norms) rules.add_query_key_norms(i);
    rules.add_norm(i, "post_attention_layernorm", "ffn_norm");
    rules.add_gated(i);
  }
  return blueprint;
}

}  // namespace understudy::lm
