// Gemma: norms that multiply by 1 + weight are stored with the 1 added; the output head is always
// the embedding table. Gemma 2 and 3 have norms behind the branches too, Gemma 3 on q and k.
#include <cmath>

#include "adapters/lm/hf/blueprint_parts.hpp"

namespace understudy::lm {

namespace {

enum class Generation { first, second, third };

// libllama and our forward pass scale by the width of a head, and in the largest of each
// generation by the model's width shared out to the heads; no key says otherwise.
Status check_attention_scale(const ModelConfig& config, const DecoderShape& shape,
                             std::int64_t layers_of_largest) {
  const auto scalar = config.number("query_pre_attn_scalar");
  const std::int64_t expected =
      shape.layers == layers_of_largest ? shape.width / shape.heads : shape.head_width;
  if (!scalar || std::abs(*scalar - static_cast<double>(expected)) < 0.5) return {};
  return fail(ErrorCode::unsupported,
              config.name() + ": \"query_pre_attn_scalar\" is not " + std::to_string(expected));
}

void add_layer(DecoderRules& rules, std::int64_t layer, Generation generation) {
  rules.add_norm(layer, "input_layernorm", "attn_norm", Change::plus_one);
  rules.add_attention(layer, DecoderRules::HeadRows::kept);
  if (generation == Generation::third) rules.add_query_key_norms(layer, Change::plus_one);
  if (generation == Generation::first) {
    rules.add_norm(layer, "post_attention_layernorm", "ffn_norm", Change::plus_one);
  } else {
    rules.add_norm(layer, "post_attention_layernorm", "post_attention_norm", Change::plus_one);
    rules.add_norm(layer, "pre_feedforward_layernorm", "ffn_norm", Change::plus_one);
    rules.add_norm(layer, "post_feedforward_layernorm", "post_ffw_norm", Change::plus_one);
  }
  rules.add_gated(layer);
}

Result<Blueprint> blueprint_any_gemma(const ModelConfig& config, const ArchitectureKeys& keys,
                                      const DecoderShape& shape, Generation generation) {
  // The first version's files say "gelu", which its class has always computed by the tanh form.
  TRY(config.expect("hidden_activation", {"gelu_pytorch_tanh", "null"}));
  TRY(keys.set_rope(config, shape, generation == Generation::third ? 1'000'000 : 10'000));
  keys.set_shape(shape);
  Blueprint blueprint{.architecture = keys.architecture(), .vocabulary = shape.vocabulary};
  DecoderRules rules(blueprint, shape);
  rules.add_ends(config, {.of_norm = Change::plus_one, .tied = true});
  for (std::int64_t i = 0; i < shape.layers; ++i) add_layer(rules, i, generation);
  return blueprint;
}

}  // namespace

Result<Blueprint> blueprint_gemma(const ModelConfig& config, GgufBuilder& file) {
  const DecoderShape shape = TRY(read_shape(config, {.head_width = 256}));
  return blueprint_any_gemma(config, ArchitectureKeys(file, "gemma"), shape, Generation::first);
}

Result<Blueprint> blueprint_gemma2(const ModelConfig& config, GgufBuilder& file) {
  constexpr std::int64_t layers_27b = 46;
  const DecoderShape shape = TRY(read_shape(config, {.kv_heads = 4, .head_width = 256}));
  TRY(check_attention_scale(config, shape, layers_27b));
  const ArchitectureKeys keys(file, "gemma2");
  keys.set_number("attn_logit_softcapping", config.number("attn_logit_softcapping").value_or(50));
  keys.set_number("final_logit_softcapping", config.number("final_logit_softcapping").value_or(30));
  keys.set("attention.sliding_window", TRY(config.count_or("sliding_window", 4096)));
  return blueprint_any_gemma(config, keys, shape, Generation::second);
}

Result<Blueprint> blueprint_gemma3(const ModelConfig& config, GgufBuilder& file) {
  constexpr std::int64_t layers_27b = 62;
  constexpr std::size_t period = 6;  // the last of each sees everything
  const DecoderShape shape = TRY(read_shape(
      config,
      {.context = 131'072, .heads = 8, .kv_heads = 4, .head_width = 256, .vocabulary = 262'208}));
  TRY(check_attention_scale(config, shape, layers_27b));
  TRY(config.expect("sliding_window_pattern", {"6"}));
  TRY(config.expect("use_bidirectional_attention", {"false"}));
  if (const json::array* types = config.array("layer_types")) {
    for (std::size_t i = 0; i < types->size(); ++i) {
      const bool whole = types->at(i) == json::value("full_attention");
      if (whole != (i % period == period - 1)) {
        return fail(ErrorCode::unsupported,
                    config.name() + ": other layers without a window than every sixth");
      }
    }
  }
  const ArchitectureKeys keys(file, "gemma3");
  keys.set("attention.sliding_window", TRY(config.count_or("sliding_window", 4096)));
  if (const auto cap = config.number("final_logit_softcapping")) {
    keys.set_number("final_logit_softcapping", *cap);
  }
  Blueprint blueprint = TRY(blueprint_any_gemma(config, keys, shape, Generation::third));
  keys.set_number("rope.freq_base_swa", config.rope().local_base);
  return blueprint;
}

}  // namespace understudy::lm
