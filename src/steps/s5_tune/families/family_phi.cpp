// Phi-2: LayerNorm, attention and a plain GELU layer side by side, biases everywhere, RoPE on a
// part of each head. Phi-3: q, k, v in one matrix, gate and up in another;
// contexts of more than before their stretching by long-RoPE.
#include <algorithm>

#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

Result<DecoderPlan> plan_phi3(const lm::GgufFile& file) {
  const PlanReader reader(file, "phi3");
  DecoderPlan plan = TRY(reader.read(LongRope::known));
  plan.rope_pairs = RopePairs::halves;
  // libllama ignores the window; texts that fit into it are the same with and without.
  const std::int64_t window = reader.integer_or("attention.sliding_window", 0);
  if (window > 0) plan.context = std::min(plan.context, window);
  add_fused_modules(plan);
  return plan;
}

Result<DecoderPlan> plan_phi2(const lm::GgufFile& file) {
  DecoderPlan plan = TRY(PlanReader(file, "phi2").read());
  plan.rope_pairs = RopePairs::halves;
  plan.norms = Norms::layer;
  plan.gate = Gate::gelu;
  plan.gated = false;
  for (LayerPlan& layer : plan.layers) layer.mixer = Mixer::attention_and_feed_forward;
  add_split_modules(plan, HeadRows::as_in_hf);
  std::erase_if(plan.modules, [](const auto& module) { return module.gguf == "ffn_gate"; });
  for (LinearModule& module : plan.modules) {
    if (module.gguf == "attn_output") module.hf = "self_attn.dense";
    if (module.gguf == "ffn_up") module.hf = "mlp.fc1";
    if (module.gguf == "ffn_down") module.hf = "mlp.fc2";
  }
  if (file.find("blk.0.attn_qkv.weight") != nullptr) fuse_qkv(plan);
  return plan;
}

}  // namespace understudy::s5
