// Falcon-H1: attention and a Mamba-2 block side by side in every layer. Its class multiplies the
// inputs and outputs of its linear layers by numbers of the configuration; libllama does not, so
// that the weights of the GGUF file hold them. Those of layers that adapters sit on are written
// into its keys, too: Hugging Face's adapters are divided by them.
#include <cmath>
#include <string>

#include "adapters/lm/hf/blueprint_mamba.hpp"

namespace understudy::lm {

namespace {

std::unexpected<Error> no_sound(const ModelConfig& config, std::string_view key) {
  return fail(ErrorCode::corrupt, config.name() + " has no sound \"" + std::string(key) + "\"");
}

bool sound_factor(double value) {
  return std::isfinite(static_cast<float>(value)) && static_cast<float>(value) != 0;
}

Result<double> factor(const ModelConfig& config, std::string_view key) {
  if (!config.has(key)) return 1.0;
  const auto value = config.number(key);
  if (!value || !sound_factor(*value)) return no_sound(config, key);
  return *value;
}

Result<std::vector<double>> factors(const ModelConfig& config, std::string_view key,
                                    std::size_t count) {
  std::vector<double> values(count, 1);
  if (!config.has(key)) return values;
  const json::array* list = config.array(key);
  if (list == nullptr || list->size() != count) return no_sound(config, key);
  for (std::size_t i = 0; i < count; ++i) {
    if (!list->at(i).is_number()) return no_sound(config, key);
    values[i] = list->at(i).to_number<double>();
    if (!sound_factor(values[i])) return no_sound(config, key);
  }
  return values;
}

// What the class multiplies by.
struct Multipliers {
  double embedding = 1, head = 1;
  double attention_in = 1, key = 1, attention_out = 1;
  double gate = 1, down = 1;
  double state_in = 1, state_out = 1;
  std::vector<double> parts = {};  // of what the Mamba in-projection gives: z, x, B, C, dt
};

Result<Multipliers> read_multipliers(const ModelConfig& config) {
  Multipliers read;
  read.embedding = TRY(factor(config, "embedding_multiplier"));
  read.head = TRY(factor(config, "lm_head_multiplier"));
  read.attention_in = TRY(factor(config, "attention_in_multiplier"));
  read.key = TRY(factor(config, "key_multiplier"));
  read.attention_out = TRY(factor(config, "attention_out_multiplier"));
  const auto feed_forward = TRY(factors(config, "mlp_multipliers", 2));
  read.gate = feed_forward[0];
  read.down = feed_forward[1];
  read.state_in = TRY(factor(config, "ssm_in_multiplier"));
  read.state_out = TRY(factor(config, "ssm_out_multiplier"));
  read.parts = TRY(factors(config, "ssm_multipliers", 5));
  return read;
}

Result<MambaShape> read_mamba(const ModelConfig& config) {
  MambaShape mamba{.heads = TRY(config.count("mamba_n_heads")),
                   .groups = TRY(config.count("mamba_n_groups")),
                   .state = TRY(config.count("mamba_d_state")),
                   .taps = TRY(config.count("mamba_d_conv"))};
  mamba.inner = config.has("mamba_d_ssm") ? TRY(config.count("mamba_d_ssm"))
                                          : mamba.heads * TRY(config.count("mamba_d_head"));
  TRY(check_mamba(config, mamba));
  return mamba;
}

// As Python writes it into JSON: a bare word, or newer files an object.
bool is_infinity(const json::value& value) {
  if (value.is_number()) return value.to_number<double>() == HUGE_VAL;
  return json::string_or(value, "__float__") == "Infinity";
}

bool bounds_time_steps(const ModelConfig& config) {
  if (!config.has("time_step_limit")) return false;
  const json::array* limits = config.array("time_step_limit");
  return limits == nullptr || limits->size() != 2 || !limits->at(0).is_number() ||
         limits->at(0).to_number<double>() > 0 || !is_infinity(limits->at(1));
}

// libllama has neither biases here, nor bounds of the time steps, nor a norm before the gate.
Status check_variant(const ModelConfig& config) {
  TRY(config.expect("hidden_act", {"silu"}));
  for (const char* bias : {"attention_bias", "mlp_bias", "projectors_bias", "mamba_proj_bias"}) {
    TRY(config.expect(bias, {"false"}));
  }
  const auto refused = [&](const std::string& what) {
    return fail(ErrorCode::unsupported, config.name() + ": " + what);
  };
  if (bounds_time_steps(config)) return refused("\"time_step_limit\" bounds the time steps");
  if (config.flag_or("mamba_rms_norm", false) && config.flag_or("mamba_norm_before_gate", true)) {
    return refused("a Mamba norm before its gate (\"mamba_norm_before_gate\")");
  }
  return {};
}

struct MultipliedModule {
  const char* hf;
  const char* gguf;
  std::int64_t rows;
  std::int64_t columns;
  double factor;
};

std::vector<MultipliedModule> modules_of(const DecoderShape& shape, const Multipliers& by) {
  const std::int64_t q = shape.query_width();
  const std::int64_t kv = shape.kv_width();
  return {
      {"self_attn.q_proj", "attn_q", q, shape.width, by.attention_in},
      {"self_attn.k_proj", "attn_k", kv, shape.width, by.attention_in * by.key},
      {"self_attn.v_proj", "attn_v", kv, shape.width, by.attention_in},
      {"self_attn.o_proj", "attn_output", shape.width, q, by.attention_out},
      {"feed_forward.gate_proj", "ffn_gate", shape.feed_forward, shape.width, by.gate},
      {"feed_forward.up_proj", "ffn_up", shape.feed_forward, shape.width, 1},
      {"feed_forward.down_proj", "ffn_down", shape.width, shape.feed_forward, by.down},
  };
}

std::vector<RowFactor> in_factors(const MambaShape& mamba, const Multipliers& by) {
  const std::int64_t shared = mamba.groups * mamba.state;
  std::vector<RowFactor> parts = {{.rows = mamba.inner},
                                  {.rows = mamba.inner},
                                  {.rows = shared},
                                  {.rows = shared},
                                  {.rows = mamba.heads}};
  bool multiplied = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].factor = by.state_in * by.parts[i];
    multiplied = multiplied || parts[i].factor != 1;
  }
  return multiplied ? parts : std::vector<RowFactor>();
}

}  // namespace

Result<Blueprint> blueprint_falcon_h1(const ModelConfig& config, GgufBuilder& file) {
  TRY(check_variant(config));
  DecoderShape shape = TRY(read_shape(config));
  shape.norm_epsilon = config.number("rms_norm_eps").value_or(1e-5);
  const MambaShape mamba = TRY(read_mamba(config));
  const Multipliers by = TRY(read_multipliers(config));
  const ArchitectureKeys keys(file, "falcon-h1");
  TRY(keys.set_rope(config, shape));
  keys.set_shape(shape);
  set_mamba_keys(keys, mamba);
  Blueprint blueprint{.architecture = keys.architecture(), .vocabulary = shape.vocabulary};
  DecoderRules rules(blueprint, shape);
  rules.add_ends(config, {.hf_norm = "model.final_layernorm",
                          .embedding_factor = by.embedding,
                          .head_factor = by.head});
  const MambaRules mamba_rules{.branch = "mamba",
                               .normed = config.flag_or("mamba_rms_norm", false),
                               .in_factors = in_factors(mamba, by),
                               .out_factors = all_rows(shape.width, by.state_out)};
  const std::vector<MultipliedModule> modules = modules_of(shape, by);
  for (const MultipliedModule& module : modules) {
    file.set(hf_factor_key(module.gguf), static_cast<float>(module.factor));
  }
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    rules.add_norm(i, "input_layernorm", "attn_norm");
    add_mamba(rules, i, mamba, shape.width, mamba_rules);
    for (const MultipliedModule& module : modules) {
      rules.add_matrix(i, module.hf, module.gguf, module.rows, module.columns,
                       all_rows(module.rows, module.factor));
    }
    // libllama looks for this one under a bare name.
    rules.add({.hf = hf_layer(i) + "pre_ff_layernorm.weight",
               .gguf = gguf_layer(i) + "ffn_norm",
               .columns = shape.width});
  }
  return blueprint;
}

}  // namespace understudy::lm
