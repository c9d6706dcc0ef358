// Qwen2 (biases on q, k, v) and Qwen3 (norms on q and k instead).
#include "adapters/lm/hf/blueprint_parts.hpp"

namespace understudy::lm {

namespace {

Result<Blueprint> blueprint_any_qwen(const ModelConfig& config, GgufBuilder& file,
                                     std::string_view architecture) {
  TRY(config.expect("hidden_act", {"silu"}));
  TRY(config.expect("use_sliding_window", {"false"}));
  const DecoderShape shape = TRY(read_shape(config));
  const ArchitectureKeys keys(file, std::string(architecture));
  TRY(keys.set_rope(config, shape));
  keys.set_shape(shape);
  Blueprint blueprint{.architecture = keys.architecture(), .vocabulary = shape.vocabulary};
  DecoderRules rules(blueprint, shape);
  rules.add_ends(config);
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    rules.add_norm(i, "input_layernorm", "attn_norm");
    rules.add_attention(i, DecoderRules::HeadRows::kept);
    if (architecture == "qwen3") rules.add_query_key_norms(i);
    rules.add_norm(i, "post_attention_layernorm", "ffn_norm");
    rules.add_gated(i);
  }
  return blueprint;
}

}  // namespace

Result<Blueprint> blueprint_qwen2(const ModelConfig& config, GgufBuilder& file) {
  return blueprint_any_qwen(config, file, "qwen2");
}

Result<Blueprint> blueprint_qwen3(const ModelConfig& config, GgufBuilder& file) {
  return blueprint_any_qwen(config, file, "qwen3");
}

}  // namespace understudy::lm
