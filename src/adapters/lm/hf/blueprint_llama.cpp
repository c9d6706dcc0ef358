// Llama, Mistral, SmolLM3 and Granite: the rows of Q and K are reordered so that RoPE turns
// adjacent pairs, as libllama has it for these.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "adapters/lm/hf/blueprint_parts.hpp"

namespace understudy::lm {

namespace {

constexpr PlainLayers layers{.head_rows = DecoderRules::HeadRows::reordered};

// Divisors of the frequencies: 1 for waves shorter than what the model was first trained on, the
// whole factor for longer ones, in between a blend (as transformers' "llama3" has it).
ComputedTensor llama3_factors(const RopeConfig& rope, const DecoderShape& shape) {
  ComputedTensor tensor{.gguf = "rope_freqs.weight", .values = {}};
  constexpr double of_llama3 = 8192;
  const double before = rope.context_before > 0 ? rope.context_before : of_llama3;
  for (std::int64_t i = 0; i < shape.head_width; i += 2) {
    const double wave =
        2 * std::numbers::pi *
        std::pow(rope.base, static_cast<double>(i) / static_cast<double>(shape.head_width));
    const double blend = (before / wave - rope.low_factor) / (rope.high_factor - rope.low_factor);
    double factor = 1 / ((1 - blend) / rope.factor + blend);
    if (wave < before / rope.high_factor) factor = 1;
    if (wave > before / rope.low_factor) factor = rope.factor;
    tensor.values.push_back(static_cast<float>(factor));
  }
  return tensor;
}

}  // namespace

Result<Blueprint> blueprint_llama(const ModelConfig& config, GgufBuilder& file) {
  DecoderShape shape = TRY(read_shape(config));
  // libllama ignores Mistral's window; texts that fit into it are the same with and without.
  shape.context = std::min(shape.context, TRY(config.count_or("sliding_window", shape.context)));
  const ArchitectureKeys keys(file, "llama");
  Blueprint blueprint = TRY(plain_blueprint(config, keys, shape, layers));
  const RopeConfig rope = config.rope();
  if (rope.type == "llama3") {
    if (!(rope.high_factor > rope.low_factor) || !(rope.factor > 0) || !(rope.low_factor > 0)) {
      return fail(ErrorCode::corrupt, config.name() + ": its RoPE factors do not fit each other");
    }
    blueprint.computed.push_back(llama3_factors(rope, shape));
  }
  return blueprint;
}

Result<Blueprint> blueprint_smollm3(const ModelConfig& config, GgufBuilder& file) {
  constexpr std::size_t period = 4;  // libllama knows by the name which layers do without RoPE
  if (const json::array* no_rope = config.array("no_rope_layers")) {
    for (std::size_t i = 0; i < no_rope->size(); ++i) {
      if ((no_rope->at(i) == json::value(0)) != (i % period == period - 1)) {
        return fail(ErrorCode::unsupported,
                    config.name() + ": other layers without RoPE than every fourth");
      }
    }
  }
  TRY(config.expect("use_sliding_window", {"false"}));
  const DecoderShape shape = TRY(read_shape(config));
  return plain_blueprint(config, ArchitectureKeys(file, "smollm3"), shape, layers);
}

Result<Blueprint> blueprint_granite(const ModelConfig& config, GgufBuilder& file) {
  const ArchitectureKeys keys(file, "granite");
  const DecoderShape shape = TRY(read_shape(config));
  const auto set = [&](const char* key, const char* name) {
    if (const auto value = config.number(name)) keys.set_number(key, *value);
  };
  set("attention.scale", "attention_multiplier");
  set("embedding_scale", "embedding_multiplier");
  set("residual_scale", "residual_multiplier");
  set("logit_scale", "logits_scaling");
  return plain_blueprint(config, keys, shape, layers);
}

}  // namespace understudy::lm
