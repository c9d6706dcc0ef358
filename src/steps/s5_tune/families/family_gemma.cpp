// Gemma: GELU gates, embeddings scaled by the root of the width. Its norms are stored with their
// "+ 1" added.
#include <cmath>

#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

Result<DecoderPlan> plan_gemma(const lm::GgufFile& file) {
  DecoderPlan plan = TRY(PlanReader(file, "gemma").read());
  plan.rope_pairs = RopePairs::halves;
  plan.gate = Gate::gelu;
  plan.embedding_scale = std::sqrt(static_cast<double>(plan.width));
  add_split_modules(plan, HeadRows::as_in_hf);
  return plan;
}

}  // namespace understudy::s5
