#include "adapters/lm/hf/blueprint.hpp"

#include <array>

#include "adapters/lm/hf/blueprint_parts.hpp"

namespace understudy::lm {

namespace {

struct HfFamily {
  std::string_view model_type;
  Result<Blueprint> (*blueprint)(const ModelConfig&, GgufBuilder&);
};

constexpr std::array<HfFamily, 15> known = {{{"llama", &blueprint_llama},
                                             {"mistral", &blueprint_llama},
                                             {"smollm3", &blueprint_smollm3},
                                             {"qwen2", &blueprint_qwen2},
                                             {"qwen3", &blueprint_qwen3},
                                             {"phi3", &blueprint_phi3},
                                             {"phi", &blueprint_phi2},
                                             {"gemma", &blueprint_gemma},
                                             {"gemma2", &blueprint_gemma2},
                                             {"gemma3", &blueprint_gemma3},
                                             {"gemma3_text", &blueprint_gemma3},
                                             {"nemotron_h", &blueprint_nemotron_h},
                                             {"falcon_h1", &blueprint_falcon_h1},
                                             {"lfm2", &blueprint_lfm2},
                                             {"granite", &blueprint_granite}}};

}  // namespace

Result<Blueprint> blueprint_of(const ModelConfig& config, GgufBuilder& file) {
  if (config.has("quantization_config")) {
    return fail(ErrorCode::unsupported, config.name() + ": its weights are quantised",
                "Give the model as it was before, in bf16, f16 or f32, or a quantised GGUF file.");
  }
  std::string all;
  for (const HfFamily& family : known) {
    if (family.model_type == config.model_type()) return family.blueprint(config, file);
    all += (all.empty() ? "" : ", ") + std::string(family.model_type);
  }
  return fail(
      ErrorCode::unsupported,
      config.name() + ": models of the type \"" + config.model_type() + "\" cannot be converted",
      "These can: " + all + ". Of others, a GGUF file may serve as the base.");
}

std::string plain_tensor_name(std::string_view name) {
  for (const std::string_view other : {"vision_tower.", "multi_modal_projector.",
                                       "model.vision_tower.", "model.multi_modal_projector."}) {
    if (name.starts_with(other)) return {};
  }
  if (name.ends_with("rotary_emb.inv_freq")) return {};  // follows from the configuration
  std::string plain(name);
  const auto replace_start = [&](std::string_view from, std::string_view to) {
    if (plain.starts_with(from)) plain = std::string(to) + plain.substr(from.size());
  };
  replace_start("model.language_model.", "model.");
  replace_start("language_model.", "");
  replace_start("backbone.", "model.");
  replace_start("model.embedding.", "model.embed_tokens.");
  replace_start("model.embeddings.", "model.embed_tokens.");
  replace_start("model.norm_f.", "model.norm.");
  return plain;
}

}  // namespace understudy::lm
