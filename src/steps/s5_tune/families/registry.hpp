// Which model families can be trained, and a file's plan. One family a file (family_*.cpp); a
// further one is a function and a line here. Pure; thread-safe.
#pragma once

#include <span>
#include <string_view>

#include "adapters/lm/gguf_file.hpp"
#include "base/result.hpp"
#include "steps/s5_tune/families/decoder_plan.hpp"

namespace understudy::s5 {

struct Family {
  std::string_view architecture;  // general.architecture
  std::string_view models;        // what people know it by
  Result<DecoderPlan> (*plan)(const lm::GgufFile& file);
};

std::span<const Family> families();

// unsupported names the architecture and lists those that can be trained; corrupt: keys or tensors
// that the architecture needs are absent or contradict each other. Every tensor that the forward
// pass will ask for has been seen with its shape.
Result<DecoderPlan> plan_of(const lm::GgufFile& file);

Result<DecoderPlan> plan_llama(const lm::GgufFile& file);
Result<DecoderPlan> plan_smollm3(const lm::GgufFile& file);
Result<DecoderPlan> plan_granite(const lm::GgufFile& file);
Result<DecoderPlan> plan_qwen2(const lm::GgufFile& file);
Result<DecoderPlan> plan_qwen3(const lm::GgufFile& file);
Result<DecoderPlan> plan_phi3(const lm::GgufFile& file);
Result<DecoderPlan> plan_phi2(const lm::GgufFile& file);
Result<DecoderPlan> plan_gemma(const lm::GgufFile& file);
Result<DecoderPlan> plan_gemma2(const lm::GgufFile& file);
Result<DecoderPlan> plan_gemma3(const lm::GgufFile& file);
Result<DecoderPlan> plan_nemotron_h(const lm::GgufFile& file);
Result<DecoderPlan> plan_lfm2(const lm::GgufFile& file);
Result<DecoderPlan> plan_falcon_h1(const lm::GgufFile& file);

}  // namespace understudy::s5
