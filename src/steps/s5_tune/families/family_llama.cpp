// Llama 2 and 3, SmolLM2, Mistral: the plain decoder. Its GGUF converter reorders the rows of Q and
// K so that RoPE turns adjacent pairs.
#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

Result<DecoderPlan> plan_llama(const lm::GgufFile& file) {
  DecoderPlan plan = TRY(PlanReader(file, "llama").read());
  add_split_modules(plan, HeadRows::reordered);
  return plan;
}

}  // namespace understudy::s5
