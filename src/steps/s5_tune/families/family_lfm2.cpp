// LFM2: most layers mix the tokens by a gated convolution over a few of them, the others by
// attention with norms on q and k; behind each is a gated feed-forward part. Adapters sit on all
// linear layers, those around the convolution too.
#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

Result<DecoderPlan> plan_lfm2(const lm::GgufFile& file) {
  const PlanReader reader(file, "lfm2");
  DecoderPlan plan = TRY(reader.read());
  plan.rope_pairs = RopePairs::halves;
  plan.query_key_norms = true;
  plan.output_norm = "token_embd_norm";
  plan.short_convolution = TRY(reader.count("shortconv.l_cache"));
  const auto kv_heads = TRY(reader.per_layer("attention.head_count_kv", plan.layers.size()));
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    if (kv_heads[i] == 0) plan.layers[i].mixer = Mixer::short_convolution_then_feed_forward;
  }
  add_split_modules(plan, HeadRows::as_in_hf);
  for (LinearModule& module : plan.modules) {
    if (module.gguf == "attn_output") module.hf = "self_attn.out_proj";
    if (module.gguf == "ffn_gate") module.hf = "feed_forward.w1";
    if (module.gguf == "ffn_up") module.hf = "feed_forward.w3";
    if (module.gguf == "ffn_down") module.hf = "feed_forward.w2";
  }
  plan.modules.insert(plan.modules.begin(), {{.gguf = "shortconv.in_proj",
                                              .hf = "conv.in_proj",
                                              .rows = 3 * plan.width,
                                              .columns = plan.width},
                                             {.gguf = "shortconv.out_proj",
                                              .hf = "conv.out_proj",
                                              .rows = plan.width,
                                              .columns = plan.width}});
  return plan;
}

}  // namespace understudy::s5
