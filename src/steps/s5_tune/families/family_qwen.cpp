// Qwen2 (biases on q, k, v) and Qwen3 (norms on q and k instead).
#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

Result<DecoderPlan> plan_qwen2(const lm::GgufFile& file) {
  DecoderPlan plan = TRY(PlanReader(file, "qwen2").read());
  plan.rope_pairs = RopePairs::halves;
  add_split_modules(plan, HeadRows::as_in_hf);
  return plan;
}

Result<DecoderPlan> plan_qwen3(const lm::GgufFile& file) {
  DecoderPlan plan = TRY(PlanReader(file, "qwen3").read());
  plan.rope_pairs = RopePairs::halves;
  plan.query_key_norms = true;
  add_split_modules(plan, HeadRows::as_in_hf);
  return plan;
}

}  // namespace understudy::s5
