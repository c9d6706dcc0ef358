// One tensor of a model directory as its GGUF file stores it. Private to this folder. Pure.
#pragma once

#include "adapters/lm/gguf_builder.hpp"
#include "adapters/lm/hf/blueprint.hpp"
#include "adapters/lm/safetensors.hpp"
#include "base/result.hpp"

namespace understudy::lm {

struct ConvertedTensor {
  TensorToStore what;
  TensorBytes bytes;  // views the entry
};

// corrupt: another shape than the rule's; unsupported: neither F32, F16 nor BF16.
Result<ConvertedTensor> converted(const TensorRule& rule, const SafetensorsEntry& entry);

}  // namespace understudy::lm
