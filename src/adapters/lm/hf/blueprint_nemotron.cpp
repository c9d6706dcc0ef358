// Nemotron-H: a layer is a Mamba-2 block, attention without positions, or a plain layer of squared
// ReLUs; a string of M, * and - (or a list of names) says which.
#include <algorithm>

#include "adapters/lm/hf/blueprint_mamba.hpp"

namespace understudy::lm {

namespace {

enum class Layer { mamba, attention, feed_forward };

Result<std::vector<Layer>> layers_of(const ModelConfig& config) {
  std::vector<Layer> layers;
  const auto add = [&](std::string_view name) -> Status {
    if (name == "M" || name == "mamba") {
      layers.push_back(Layer::mamba);
    } else if (name == "*" || name == "attention") {
      layers.push_back(Layer::attention);
    } else if (name == "-" || name == "mlp") {
      layers.push_back(Layer::feed_forward);
    } else {
      return fail(ErrorCode::unsupported,
                  config.name() + ": layers of the kind \"" + std::string(name) + "\"");
    }
    return {};
  };
  const std::string pattern = config.text_or("hybrid_override_pattern", "");
  for (const char& mark : pattern) TRY(add({&mark, 1}));
  if (const json::array* names = config.array("layers_block_type"); names && layers.empty()) {
    for (const json::value& name : *names) {
      TRY(add(name.is_string() ? std::string_view(name.as_string()) : "?"));
    }
  }
  if (layers.empty()) return fail(ErrorCode::corrupt, config.name() + " does not name its layers");
  return layers;
}

Result<MambaShape> read_mamba(const ModelConfig& config) {
  MambaShape mamba{.heads = TRY(config.count("mamba_num_heads")),
                   .groups = TRY(config.count("n_groups")),
                   .state = TRY(config.count("ssm_state_size")),
                   .taps = TRY(config.count("conv_kernel"))};
  mamba.inner = mamba.heads * TRY(config.count("mamba_head_dim"));
  TRY(check_mamba(config, mamba));
  return mamba;
}

void set_keys(const ArchitectureKeys& keys, GgufBuilder& file, const std::vector<Layer>& layers,
              const DecoderShape& shape, const MambaShape& mamba) {
  std::vector<std::int32_t> kv_heads, widths;
  for (const Layer layer : layers) {
    kv_heads.push_back(layer == Layer::attention ? static_cast<std::int32_t>(shape.kv_heads) : 0);
    widths.push_back(layer == Layer::feed_forward ? static_cast<std::int32_t>(shape.feed_forward)
                                                  : 0);
  }
  keys.set_shape(shape);
  file.set("nemotron_h.attention.head_count_kv", kv_heads);
  file.set("nemotron_h.feed_forward_length", widths);
  keys.set_number("attention.layer_norm_epsilon", shape.norm_epsilon);
  keys.set("rope.dimension_count", shape.head_width);
  set_mamba_keys(keys, mamba);
}

}  // namespace

Result<Blueprint> blueprint_nemotron_h(const ModelConfig& config, GgufBuilder& file) {
  TRY(config.expect("mlp_hidden_act", {"relu2"}));
  const std::vector<Layer> layers = TRY(layers_of(config));
  DecoderShape shape =
      TRY(read_shape(config, {.layers = static_cast<std::int64_t>(layers.size())}));
  shape.head_width = TRY(config.count_or("attention_head_dim", shape.head_width));
  shape.norm_epsilon = config.number("layer_norm_epsilon").value_or(1e-5);
  if (shape.layers != static_cast<std::int64_t>(layers.size())) {
    return fail(ErrorCode::corrupt, config.name() + " names more or fewer layers than it has");
  }
  const MambaShape mamba = TRY(read_mamba(config));
  const ArchitectureKeys keys(file, "nemotron_h");
  set_keys(keys, file, layers, shape, mamba);
  Blueprint blueprint{.architecture = keys.architecture(), .vocabulary = shape.vocabulary};
  DecoderRules rules(blueprint, shape);
  rules.add_ends(config);
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    rules.add_norm(i, "norm", "attn_norm");
    switch (layers[static_cast<std::size_t>(i)]) {
      case Layer::mamba: add_mamba(rules, i, mamba, shape.width); break;
      case Layer::attention: rules.add_attention(i, DecoderRules::HeadRows::kept, "mixer"); break;
      case Layer::feed_forward:
        rules.add_linear(i, "mixer.up_proj", "ffn_up", shape.feed_forward, shape.width);
        rules.add_linear(i, "mixer.down_proj", "ffn_down", shape.width, shape.feed_forward);
        break;
    }
  }
  return blueprint;
}

}  // namespace understudy::lm
