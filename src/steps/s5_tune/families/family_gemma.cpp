// Gemma: GELU gates, embeddings scaled by the root of the width; its norms are stored with their
// "+ 1" added. Gemma 2: norms behind the branches too, capped scores and logits, a window in every
// second layer. Gemma 3: norms on q and k instead of caps, five layers with a window for each
// without, and RoPE of another base in them.
#include <cmath>

#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

namespace {

Result<DecoderPlan> plan_any_gemma(const PlanReader& reader) {
  DecoderPlan plan = TRY(reader.read());
  plan.rope_pairs = RopePairs::halves;
  plan.gate = Gate::gelu;
  plan.embedding_scale = std::sqrt(static_cast<double>(plan.width));
  add_split_modules(plan, HeadRows::as_in_hf);
  return plan;
}

// The largest of each generation scales by the width of a head as if heads filled the model's.
void scale_attention_of(DecoderPlan& plan, std::size_t layers_of_largest) {
  if (plan.layers.size() != layers_of_largest) return;
  plan.attention_scale = 1 / std::sqrt(static_cast<double>(plan.width / plan.heads));
}

}  // namespace

Result<DecoderPlan> plan_gemma(const lm::GgufFile& file) {
  return plan_any_gemma(PlanReader(file, "gemma"));
}

Result<DecoderPlan> plan_gemma2(const lm::GgufFile& file) {
  constexpr std::size_t layers_27b = 46;
  const PlanReader reader(file, "gemma2");
  DecoderPlan plan = TRY(plan_any_gemma(reader));
  scale_attention_of(plan, layers_27b);
  plan.post_norms = true;
  plan.attention_cap = reader.number_or("attn_logit_softcapping", 50);
  plan.logit_cap = reader.number_or("final_logit_softcapping", 30);
  const std::int64_t window = reader.integer_or("attention.sliding_window", 4096);
  for (std::size_t i = 0; i < plan.layers.size(); i += 2) plan.layers[i].window = window;
  return plan;
}

Result<DecoderPlan> plan_gemma3(const lm::GgufFile& file) {
  constexpr std::size_t layers_27b = 62;
  constexpr std::size_t period = 6;  // the last of each sees everything
  const PlanReader reader(file, "gemma3");
  DecoderPlan plan = TRY(plan_any_gemma(reader));
  scale_attention_of(plan, layers_27b);
  plan.post_norms = true;
  plan.query_key_norms = true;
  plan.logit_cap = reader.number_or("final_logit_softcapping", 0);
  const std::int64_t window = reader.integer_or("attention.sliding_window", 0);
  const double base = reader.number_or("rope.freq_base_swa", 10'000);
  for (std::size_t i = 0; i < plan.layers.size() && window > 0; ++i) {
    if (i % period == period - 1) continue;
    plan.layers[i] = {.window = window, .rope_base = base};
  }
  return plan;
}

}  // namespace understudy::s5
