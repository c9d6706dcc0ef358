// Nemotron-H: most layers are Mamba-2 blocks, some are attention without positions, some a plain
// layer of squared ReLUs. Adapters sit on attention and feed-forward layers; gradients go through
// the Mamba blocks.
#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

Result<DecoderPlan> plan_nemotron_h(const lm::GgufFile& file) {
  const PlanReader reader(file, "nemotron_h");
  DecoderPlan plan = TRY(reader.read());
  plan.rope_width = 0;
  plan.gate = Gate::relu_squared;
  plan.gated = false;
  plan.state_space = TRY(reader.state_space());
  const auto kv_heads = TRY(reader.per_layer("attention.head_count_kv", plan.layers.size()));
  const auto widths = TRY(reader.per_layer("feed_forward_length", plan.layers.size()));
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    Mixer& mixer = plan.layers[i].mixer;
    mixer = widths[i] > 0 ? Mixer::feed_forward : Mixer::attention;
    if (widths[i] == 0 && kv_heads[i] == 0) mixer = Mixer::state_space;
  }
  add_split_modules(plan, HeadRows::as_in_hf);
  std::erase_if(plan.modules, [](const auto& module) { return module.gguf == "ffn_gate"; });
  for (LinearModule& module : plan.modules) {
    module.hf = "mixer." + module.hf.substr(module.hf.rfind('.') + 1);
  }
  return plan;
}

}  // namespace understudy::s5
