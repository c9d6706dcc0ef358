// A tuned model as one GGUF file: the base with an adapter added to its weights in f32, or weights
// that were tuned as a whole; then quantised where that is wanted, never merged into four bits.
// Held against the training forward pass before it counts.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/result.hpp"
#include "steps/s5_tune/torch/adapter.hpp"
#include "steps/s5_tune/torch/full_weights.hpp"
#include "steps/s5_tune/tuning_text.hpp"

namespace understudy::s5 {

struct TunedModel {
  const lm::GgufFile& base;
  const DecoderPlan& plan;
  const Adapter* adapter = nullptr;
  const FullWeights* full = nullptr;
};

// Writes directory/merged.gguf as "F32" or as lm::quantisations() has it. Returns the largest
// difference of libllama's logits with the file from ours, over the largest logit. internal: in f32
// they differ by more than another order of summation makes, or they are the base's; in fewer bits
// they are nearer to the base's than twice as near to ours.
Result<double> export_merged(const TunedModel& from, const std::filesystem::path& directory,
                             std::span<const TokenText> texts, const std::string& as);

}  // namespace understudy::s5
