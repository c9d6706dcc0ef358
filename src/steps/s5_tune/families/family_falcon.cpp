// Falcon-H1: in every layer attention and a Mamba-2 block read the same rows side by side; a gated
// feed-forward part follows. What the model multiplies its parts by lies in the weights of the GGUF
// file. Adapters sit on attention and feed-forward; gradients go through the Mamba blocks.
#include <cmath>

#include "steps/s5_tune/families/plan_reader.hpp"
#include "steps/s5_tune/families/registry.hpp"

namespace understudy::s5 {

namespace {

// Our conversion of a model directory names them, others do not.
bool read_factors(const lm::GgufFile& file, DecoderPlan& plan) {
  for (LinearModule& module : plan.modules) {
    const auto factor = file.find_number(lm::hf_factor_key(module.gguf));
    if (!factor || !std::isfinite(*factor) || *factor == 0) return false;
    module.hf_factor = *factor;
  }
  return true;
}

}  // namespace

Result<DecoderPlan> plan_falcon_h1(const lm::GgufFile& file) {
  const PlanReader reader(file, "falcon-h1");
  DecoderPlan plan = TRY(reader.read());
  plan.rope_pairs = RopePairs::halves;
  plan.state_space = TRY(reader.state_space());
  plan.state_space.normed = file.find("blk.0.ssm_norm.weight") != nullptr;
  for (LayerPlan& layer : plan.layers) {
    layer.mixer = Mixer::attention_and_state_space_then_feed_forward;
  }
  add_split_modules(plan, HeadRows::as_in_hf);
  for (LinearModule& module : plan.modules) {
    const auto dot = module.hf.rfind('.');
    if (module.gguf.starts_with("ffn_")) module.hf = "feed_forward" + module.hf.substr(dot);
  }
  plan.multiplied_in_hf = !read_factors(file, plan);
  return plan;
}

}  // namespace understudy::s5
