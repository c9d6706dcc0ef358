// Qwen2 (biases on q, k, v) and Qwen3 (norms on q and k instead).
#include "adapters/lm/hf/blueprint_parts.hpp"

namespace understudy::lm {

namespace {

Result<Blueprint> blueprint_any_qwen(const ModelConfig& config, const ArchitectureKeys& keys,
                                     PlainLayers layers) {
  TRY(config.expect("use_sliding_window", {"false"}));
  const DecoderShape shape = TRY(read_shape(config));
  return plain_blueprint(config, keys, shape, layers);
}

}  // namespace

Result<Blueprint> blueprint_qwen2(const ModelConfig& config, GgufBuilder& file) {
  return blueprint_any_qwen(config, ArchitectureKeys(file, "qwen2"), {});
}

Result<Blueprint> blueprint_qwen3(const ModelConfig& config, GgufBuilder& file) {
  return blueprint_any_qwen(config, ArchitectureKeys(file, "qwen3"), {.query_key_norms = true});
}

}  // namespace understudy::lm
