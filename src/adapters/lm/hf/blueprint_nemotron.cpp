// Nemotron-H: a layer is a Mamba-2 block, attention without positions, or a plain layer of squared
// ReLUs; a string of M, * and - (or a list of names) says which.
#include <algorithm>

#include "adapters/lm/hf/blueprint_parts.hpp"

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

struct Mamba {
  std::int64_t heads = 0;
  std::int64_t inner = 0;
  std::int64_t groups = 0;
  std::int64_t state = 0;
  std::int64_t taps = 0;

  [[nodiscard]] std::int64_t convolved() const { return inner + 2 * groups * state; }
};

Result<Mamba> read_mamba(const ModelConfig& config) {
  Mamba mamba{.heads = TRY(config.count("mamba_num_heads")),
              .groups = TRY(config.count("n_groups")),
              .state = TRY(config.count("ssm_state_size")),
              .taps = TRY(config.count("conv_kernel"))};
  mamba.inner = mamba.heads * TRY(config.count("mamba_head_dim"));
  if (mamba.inner % mamba.groups != 0) {
    return fail(ErrorCode::corrupt, config.name() + ": its groups do not fit its heads");
  }
  return mamba;
}

void add_mamba(DecoderRules& rules, std::int64_t layer, const Mamba& mamba, std::int64_t width) {
  const std::string hf = hf_layer(layer) + "mixer.";
  const std::string gguf = gguf_layer(layer) + "ssm_";
  rules.add_linear(layer, "mixer.in_proj", "ssm_in", mamba.inner + mamba.convolved() + mamba.heads,
                   width);
  rules.add({.hf = hf + "conv1d.weight",
             .gguf = gguf + "conv1d.weight",
             .rows = mamba.convolved(),
             .columns = mamba.taps,
             .shape = {mamba.convolved(), 1, mamba.taps},
             .in_f32 = true});
  rules.add({.hf = hf + "conv1d.bias",
             .gguf = gguf + "conv1d.bias",
             .columns = mamba.convolved(),
             .optional = true});
  rules.add({.hf = hf + "dt_bias", .gguf = gguf + "dt.bias", .columns = mamba.heads});
  rules.add({.hf = hf + "A_log",
             .gguf = gguf + "a",
             .rows = mamba.heads,
             .columns = 1,
             .shape = {mamba.heads},
             .change = Change::negative_exponential,
             .in_f32 = true});
  rules.add({.hf = hf + "D",
             .gguf = gguf + "d",
             .rows = mamba.heads,
             .columns = 1,
             .shape = {mamba.heads},
             .in_f32 = true});
  rules.add({.hf = hf + "norm.weight",
             .gguf = gguf + "norm.weight",
             .rows = mamba.groups,
             .columns = mamba.inner / mamba.groups,
             .shape = {mamba.inner},
             .in_f32 = true});
  rules.add_linear(layer, "mixer.out_proj", "ssm_out", width, mamba.inner);
}

void set_keys(const ArchitectureKeys& keys, GgufBuilder& file, const std::vector<Layer>& layers,
              const DecoderShape& shape, const Mamba& mamba) {
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
  keys.set("ssm.conv_kernel", mamba.taps);
  keys.set("ssm.inner_size", mamba.inner);
  keys.set("ssm.state_size", mamba.state);
  keys.set("ssm.time_step_rank", mamba.heads);
  keys.set("ssm.group_count", mamba.groups);
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
  const Mamba mamba = TRY(read_mamba(config));
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
