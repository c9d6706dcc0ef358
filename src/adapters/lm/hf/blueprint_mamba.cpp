#include "adapters/lm/hf/blueprint_mamba.hpp"

namespace understudy::lm {

Status check_mamba(const ModelConfig& config, const MambaShape& mamba) {
  if (mamba.inner % mamba.heads == 0 && mamba.heads % mamba.groups == 0) return {};
  return fail(ErrorCode::corrupt,
              config.name() + ": its Mamba heads and groups do not fit each other");
}

void set_mamba_keys(const ArchitectureKeys& keys, const MambaShape& mamba) {
  keys.set("ssm.conv_kernel", mamba.taps);
  keys.set("ssm.inner_size", mamba.inner);
  keys.set("ssm.state_size", mamba.state);
  keys.set("ssm.time_step_rank", mamba.heads);
  keys.set("ssm.group_count", mamba.groups);
}

void add_mamba(DecoderRules& rules, std::int64_t layer, const MambaShape& mamba, std::int64_t width,
               const MambaRules& of) {
  const std::string hf = hf_layer(layer) + of.branch + ".";
  const std::string gguf = gguf_layer(layer) + "ssm_";
  const auto add_heads = [&](const char* from, const char* to, Change change) {
    rules.add({.hf = hf + from,
               .gguf = gguf + to,
               .rows = mamba.heads,
               .columns = 1,
               .shape = {mamba.heads},
               .change = change,
               .in_f32 = true});
  };
  rules.add_matrix(layer, of.branch + ".in_proj", "ssm_in", mamba.projected(), width,
                   of.in_factors);
  rules.add({.hf = hf + "conv1d.weight",
             .gguf = gguf + "conv1d.weight",
             .rows = mamba.convolved(),
             .columns = mamba.taps,
             .shape = {mamba.convolved(), 1, mamba.taps},
             .in_f32 = true});
  rules.add({.hf = hf + "conv1d.bias",
             .gguf = gguf + "conv1d.bias",
             .columns = mamba.convolved(),
             .zero_if_absent = true});  // libllama adds one in any case
  rules.add({.hf = hf + "dt_bias", .gguf = gguf + "dt.bias", .columns = mamba.heads});
  add_heads("A_log", "a", Change::negative_exponential);
  add_heads("D", "d", Change::none);
  if (of.normed) {
    rules.add({.hf = hf + "norm.weight",
               .gguf = gguf + "norm.weight",
               .rows = mamba.groups,
               .columns = mamba.inner / mamba.groups,
               .shape = {mamba.inner},
               .in_f32 = true});
  }
  rules.add_matrix(layer, of.branch + ".out_proj", "ssm_out", width, mamba.inner, of.out_factors);
}

}  // namespace understudy::lm
