// Phi-3: q, k, v in one matrix, gate and up in another.
#include <algorithm>

#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

Result<DecoderPlan> plan_phi3(const lm::GgufFile& file) {
  const PlanReader reader(file, "phi3");
  DecoderPlan plan = TRY(reader.read());
  plan.rope_pairs = RopePairs::halves;
  // libllama ignores the window; texts that fit into it are the same with and without.
  const std::int64_t window = reader.integer_or("attention.sliding_window", 0);
  if (window > 0) plan.context = std::min(plan.context, window);
  add_fused_modules(plan);
  return plan;
}

}  // namespace understudy::s5
