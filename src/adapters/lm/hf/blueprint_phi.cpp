// Phi-2: LayerNorm with biases, attention and a plain GELU layer side by side. Phi-3: q, k, v in
// one matrix, gate and up in another, in libllama's order already.
#include "adapters/lm/hf/blueprint_parts.hpp"

#include <algorithm>
#include <cmath>

namespace understudy::lm {

namespace {

// Turned values grow with how far the context was stretched, as transformers' "longrope" has it.
double long_rope_gain(const RopeConfig& rope, std::int64_t context) {
  if (rope.gain > 0) return rope.gain;
  const double stretch =
      rope.factor > 1 ? rope.factor : static_cast<double>(context) / rope.context_before;
  return stretch > 1 ? std::sqrt(1 + std::log(stretch) / std::log(rope.context_before)) : 1;
}

// Divisors of the frequencies, one set for contexts up to that of before the stretching.
Status add_long_rope(const ModelConfig& config, const ArchitectureKeys& keys,
                     const DecoderShape& shape, Blueprint& blueprint) {
  const RopeConfig rope = config.rope();
  if (rope.type != "longrope") {
    keys.set("rope.scaling.original_context_length", shape.context);
    return {};
  }
  const auto pairs =
      static_cast<std::size_t>(static_cast<double>(shape.head_width) * rope.turned_share) / 2;
  for (const auto& [name, factors] : {std::pair("rope_factors_short.weight", rope.short_factors),
                                      std::pair("rope_factors_long.weight", rope.long_factors)}) {
    const auto is_sound = [](float factor) { return std::isfinite(factor) && factor > 0; };
    if (factors.size() != pairs || !std::ranges::all_of(factors, is_sound)) {
      return fail(ErrorCode::corrupt, config.name() +
                                          " has no sound \"long_factor\" and \"short_factor\" of " +
                                          std::to_string(pairs) + " numbers");
    }
    blueprint.computed.push_back({.gguf = name, .values = factors});
  }
  if (!(rope.context_before > 1 && rope.context_before <= static_cast<double>(shape.context))) {
    return fail(ErrorCode::corrupt,
                config.name() + " has no sound \"original_max_position_embeddings\"");
  }
  keys.set("rope.scaling.original_context_length", static_cast<std::int64_t>(rope.context_before));
  keys.set_number("rope.scaling.attn_factor", long_rope_gain(rope, shape.context));
  return {};
}

}  // namespace

Result<Blueprint> blueprint_phi3(const ModelConfig& config, GgufBuilder& file) {
  TRY(config.expect("hidden_act", {"silu"}));
  const DecoderShape shape = TRY(read_shape(config));
  const ArchitectureKeys keys(file, "phi3");
  TRY(keys.set_rope(config, shape));
  keys.set_shape(shape);
  keys.set("attention.sliding_window", TRY(config.count_or("sliding_window", 0)));
  Blueprint blueprint{.architecture = keys.architecture(), .vocabulary = shape.vocabulary};
  TRY(add_long_rope(config, keys, shape, blueprint));
  DecoderRules rules(blueprint, shape);
  rules.add_ends(config);
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    rules.add_norm(i, "input_layernorm", "attn_norm");
    rules.add_linear(i, "self_attn.qkv_proj", "attn_qkv",
                     shape.query_width() + 2 * shape.kv_width(), shape.width);
    rules.add_linear(i, "self_attn.o_proj", "attn_output", shape.width, shape.query_width());
    rules.add_norm(i, "post_attention_layernorm", "ffn_norm");
    rules.add_linear(i, "mlp.gate_up_proj", "ffn_up", 2 * shape.feed_forward, shape.width);
    rules.add_linear(i, "mlp.down_proj", "ffn_down", shape.width, shape.feed_forward);
  }
  return blueprint;
}

Result<Blueprint> blueprint_phi2(const ModelConfig& config, GgufBuilder& file) {
  TRY(config.expect("hidden_act", {"gelu_new"}));
  TRY(config.expect("qk_layernorm", {"false"}));
  const DecoderShape shape = TRY(read_shape(config));
  const ArchitectureKeys keys(file, "phi2");
  TRY(keys.set_rope(config, shape));
  keys.set_shape(shape);
  const double epsilon = config.number("layer_norm_eps").value_or(1e-5);
  keys.set_number("attention.layer_norm_epsilon", epsilon);
  keys.set_number("attention.layer_norm_rms_epsilon", epsilon);
  Blueprint blueprint{.architecture = keys.architecture(), .vocabulary = shape.vocabulary};
  DecoderRules rules(blueprint, shape);
  const auto add_norm = [&](const std::string& hf, const std::string& gguf) {
    for (const char* part : {".weight", ".bias"}) {
      rules.add({.hf = hf + part, .gguf = gguf + part, .columns = shape.width});
    }
  };
  rules.add({.hf = "model.embed_tokens.weight",
             .gguf = "token_embd.weight",
             .rows = shape.vocabulary,
             .columns = shape.width});
  add_norm("model.final_layernorm", "output_norm");
  rules.add({.hf = "lm_head.weight",
             .gguf = "output.weight",
             .rows = shape.vocabulary,
             .columns = shape.width});
  rules.add({.hf = "lm_head.bias", .gguf = "output.bias", .columns = shape.vocabulary});
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    add_norm(hf_layer(i) + "input_layernorm", gguf_layer(i) + "attn_norm");
    rules.add_attention(i, DecoderRules::HeadRows::kept, "self_attn", "dense");
    rules.add_linear(i, "mlp.fc1", "ffn_up", shape.feed_forward, shape.width);
    rules.add_linear(i, "mlp.fc2", "ffn_down", shape.width, shape.feed_forward);
  }
  return blueprint;
}

}  // namespace understudy::lm
