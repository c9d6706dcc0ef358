// LFM2: most layers mix the tokens by a gated convolution over a few of them, the others by
// attention with norms on q and k; a layer without heads of keys is of the first kind.
#include <algorithm>

#include "adapters/lm/hf/blueprint_parts.hpp"

namespace understudy::lm {

namespace {

// True for layers with attention. A list of names, or of the attention layers' numbers, says which;
// without either all are.
Result<std::vector<bool>> layers_of(const ModelConfig& config, std::int64_t count) {
  const auto layers = static_cast<std::size_t>(count);
  std::vector<bool> attention(layers, true);
  if (const json::array* names = config.array("layer_types")) {
    if (names->size() != layers) {
      return fail(ErrorCode::corrupt, config.name() + " names more or fewer layers than it has");
    }
    for (std::size_t i = 0; i < layers; ++i) {
      attention[i] = names->at(i) == json::value("full_attention");
      if (!attention[i] && names->at(i) != json::value("conv")) {
        return fail(ErrorCode::unsupported,
                    config.name() + ": layers of the kind " + json::to_text(names->at(i)));
      }
    }
  } else if (const json::array* numbers = config.array("full_attn_idxs")) {
    attention.assign(layers, false);
    for (const json::value& number : *numbers) {
      if (!number.is_int64() || number.as_int64() < 0 || number.as_int64() >= count) {
        return fail(ErrorCode::corrupt, config.name() + " has no sound \"full_attn_idxs\"");
      }
      attention[static_cast<std::size_t>(number.as_int64())] = true;
    }
  }
  return attention;
}

// Two thirds of what is written, times a multiplier, rounded up: as LlamaFFN of the first Llama.
Result<std::int64_t> feed_forward_width(const ModelConfig& config, std::int64_t written) {
  constexpr double width_max = 1 << 24;
  const std::int64_t whole = TRY(config.count_or("block_ff_dim", written));
  if (!config.flag_or("block_auto_adjust_ff_dim", true)) return whole;
  const std::int64_t multiple = TRY(config.count_or("block_multiple_of", 256));
  const double multiplier = config.number("block_ffn_dim_multiplier").value_or(1);
  const double width = multiplier * static_cast<double>(2 * whole / 3);
  if (!(width >= 1 && width <= width_max)) {
    return fail(ErrorCode::corrupt,
                config.name() + " has no sound \"block_ffn_dim_multiplier\" for its width");
  }
  return multiple * ((static_cast<std::int64_t>(width) + multiple - 1) / multiple);
}

Result<DecoderShape> shape_of(const ModelConfig& config) {
  constexpr std::int64_t class_default = 12'288;
  DecoderShape shape = TRY(read_shape(config, {.feed_forward = class_default}));
  shape.feed_forward = TRY(feed_forward_width(config, shape.feed_forward));
  shape.norm_epsilon = config.number("norm_eps").value_or(1e-5);
  return shape;
}

void add_convolution(DecoderRules& rules, std::int64_t layer, std::int64_t width,
                     std::int64_t taps) {
  rules.add_matrix(layer, "conv.in_proj", "shortconv.in_proj", 3 * width, width);
  rules.add({.hf = hf_layer(layer) + "conv.conv.weight",
             .gguf = gguf_layer(layer) + "shortconv.conv.weight",
             .rows = width,
             .columns = taps,
             .shape = {width, 1, taps},
             .in_f32 = true});
  rules.add_matrix(layer, "conv.out_proj", "shortconv.out_proj", width, width);
}

void add_attention(DecoderRules& rules, std::int64_t layer, const DecoderShape& shape) {
  rules.add_attention(layer, DecoderRules::HeadRows::kept, "self_attn", "out_proj");
  for (const char side : {'q', 'k'}) {
    rules.add({.hf = hf_layer(layer) + "self_attn." + side + "_layernorm.weight",
               .gguf = gguf_layer(layer) + "attn_" + side + "_norm.weight",
               .columns = shape.head_width});
  }
}

}  // namespace

Result<Blueprint> blueprint_lfm2(const ModelConfig& config, GgufBuilder& file) {
  TRY(config.expect("conv_bias", {"false"}));
  const DecoderShape shape = TRY(shape_of(config));
  const std::vector<bool> attention = TRY(layers_of(config, shape.layers));
  const std::int64_t taps = TRY(config.count_or("conv_L_cache", 3));
  const ArchitectureKeys keys(file, "lfm2");
  TRY(keys.set_rope(config, shape, 1'000'000));
  keys.set_shape(shape);
  keys.set("shortconv.l_cache", taps);
  std::vector<std::int32_t> kv_heads;
  for (const bool attends : attention) {
    kv_heads.push_back(attends ? static_cast<std::int32_t>(shape.kv_heads) : 0);
  }
  file.set("lfm2.attention.head_count_kv", kv_heads);
  Blueprint blueprint{.architecture = keys.architecture(), .vocabulary = shape.vocabulary};
  DecoderRules rules(blueprint, shape);
  const bool tied = config.flag_or("tie_embedding", config.flag_or("tie_word_embeddings", true));
  rules.add_ends(config,
                 {.hf_norm = "model.embedding_norm", .gguf_norm = "token_embd_norm", .tied = tied});
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    rules.add_norm(i, "operator_norm", "attn_norm");
    if (attention[static_cast<std::size_t>(i)]) {
      add_attention(rules, i, shape);
    } else {
      add_convolution(rules, i, shape.width, taps);
    }
    rules.add_norm(i, "ffn_norm", "ffn_norm");
    rules.add_matrix(i, "feed_forward.w1", "ffn_gate", shape.feed_forward, shape.width);
    rules.add_matrix(i, "feed_forward.w3", "ffn_up", shape.feed_forward, shape.width);
    rules.add_matrix(i, "feed_forward.w2", "ffn_down", shape.width, shape.feed_forward);
  }
  return blueprint;
}

}  // namespace understudy::lm
