// What a model takes of a machine, and how fast it will be there, before it is tried: weights,
// cache of keys and values at the task's longest context, adapter, work space; and a roofline:
// writing a token reads every weight once, reading a prompt multiplies with every weight. Pure.
#pragma once

#include <cstdint>

#include "adapters/lm/compute_speed.hpp"
#include "adapters/lm/model_file.hpp"
#include "adapters/lm/model_speed.hpp"

namespace understudy::s4 {

struct Footprint {
  std::int64_t weight_bytes = 0;
  std::int64_t cache_bytes = 0;
  std::int64_t adapter_bytes = 0;  // a LoRA of rank 16 on every linear layer, in f16
  std::int64_t work_bytes = 0;     // llama-server itself, its buffers, a batch of logits
  [[nodiscard]] std::int64_t total() const {
    return weight_bytes + cache_bytes + adapter_bytes + work_bytes;
  }
};
// `tokens`: of one call's prompt and answer; `parallel` calls at once keep their caches side by
// side.
Footprint footprint_of(const lm::ModelFile& model, std::int64_t tokens, std::int64_t parallel);

// An upper bound: real runs reach about half to nine tenths of it.
lm::ModelSpeed roofline(const lm::ModelFile& model, std::int64_t tokens,
                        const lm::ComputeSpeed& machine);

struct CallSize {
  std::int64_t prompt_tokens = 0;
  std::int64_t answer_tokens = 0;
};
// Of one call, alone on the machine.
double milliseconds(const lm::ModelSpeed& speed, const CallSize& call);

}  // namespace understudy::s4
