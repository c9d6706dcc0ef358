#include "steps/s5_tune/families/registry.hpp"

#include <array>

#include "steps/s5_tune/families/plan_reader.hpp"

namespace understudy::s5 {

namespace {

constexpr std::array<Family, 13> known = {
    {{"llama", "Llama 2 and 3, SmolLM2, Mistral, xLAM-2, TinyLlama", &plan_llama},
     {"smollm3", "SmolLM3", &plan_smollm3},
     {"qwen2", "Qwen2, Qwen2.5", &plan_qwen2},
     {"qwen3", "Qwen3 (dense)", &plan_qwen3},
     {"phi3", "Phi-3, Phi-3.5-mini, Phi-4, Phi-4-mini", &plan_phi3},
     {"phi2", "Phi-1.5, Phi-2", &plan_phi2},
     {"gemma", "Gemma (first version)", &plan_gemma},
     {"gemma2", "Gemma 2", &plan_gemma2},
     {"gemma3", "Gemma 3 (text)", &plan_gemma3},
     {"nemotron_h", "Nemotron-H, Nemotron Nano 2", &plan_nemotron_h},
     {"falcon-h1", "Falcon-H1", &plan_falcon_h1},
     {"lfm2", "LFM2 (dense)", &plan_lfm2},
     {"granite", "Granite 3 (dense)", &plan_granite}}};

}  // namespace

std::span<const Family> families() { return known; }

Result<DecoderPlan> plan_of(const lm::GgufFile& file) {
  const auto architecture = file.find_string("general.architecture");
  if (!architecture) {
    return fail(ErrorCode::corrupt, file.name() + " names no architecture");
  }
  std::string supported;
  for (const Family& family : known) {
    if (family.architecture == *architecture) {
      DecoderPlan plan = TRY(family.plan(file));
      TRY(check_tensors(file, plan));
      return plan;
    }
    supported += (supported.empty() ? "" : ", ") + std::string(family.architecture);
  }
  return fail(ErrorCode::unsupported,
              file.name() + ": the architecture \"" + *architecture + "\" cannot be trained yet",
              "These can: " + supported + ".");
}

}  // namespace understudy::s5
