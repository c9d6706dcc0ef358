// Llama 2 and 3, SmolLM2, Mistral: the plain decoder. Its GGUF converter reorders the rows of Q and
// K so that RoPE turns adjacent pairs. SmolLM3 is the same without RoPE in every fourth layer,
// which is no key of its files but known to libllama by the name (its HF configuration says the
// same).
#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

Result<DecoderPlan> plan_llama(const lm::GgufFile& file) {
  DecoderPlan plan = TRY(PlanReader(file, "llama").read());
  add_split_modules(plan, HeadRows::reordered);
  return plan;
}

Result<DecoderPlan> plan_smollm3(const lm::GgufFile& file) {
  DecoderPlan plan = TRY(PlanReader(file, "smollm3").read());
  add_split_modules(plan, HeadRows::reordered);
  constexpr std::size_t layers_between = 4;
  for (std::size_t i = layers_between - 1; i < plan.layers.size(); i += layers_between) {
    plan.layers[i].turned = false;
  }
  return plan;
}

}  // namespace understudy::s5
