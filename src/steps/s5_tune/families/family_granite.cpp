// Granite 3: llama with multipliers on embeddings, residual branches, attention and logits.
#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

Result<DecoderPlan> plan_granite(const lm::GgufFile& file) {
  const PlanReader reader(file, "granite");
  DecoderPlan plan = TRY(reader.read());
  add_split_modules(plan, HeadRows::reordered);
  const auto nonzero_or = [&](std::string_view key, double otherwise) {
    const double value = reader.number_or(key, 0);
    return value == 0 ? otherwise : value;
  };
  plan.embedding_scale = nonzero_or("embedding_scale", 1);
  plan.residual_scale = nonzero_or("residual_scale", 1);
  plan.attention_scale = nonzero_or("attention.scale", plan.attention_scale);
  plan.logit_scale = 1 / nonzero_or("logit_scale", 1);  // the key holds the divisor
  return plan;
}

}  // namespace understudy::s5
