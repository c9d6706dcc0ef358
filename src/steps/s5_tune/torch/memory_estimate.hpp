// What a run needs of memory, and whether it is there: a run that cannot fit is refused before it
// starts, not killed in the middle. Estimates, by what is kept and what is there at one time.
#pragma once

#include "steps/s5_tune/torch/computing.hpp"
#include "steps/s5_tune/torch/lora_trainer.hpp"

namespace understudy::s5 {

struct MemoryQuestion {
  const lm::GgufFile& file;
  const DecoderPlan& plan;
  const LoraOptions& options;
  Computing computing;
  double parameters = 0;  // trained
  int threads = 1;
  std::int64_t text_tokens_max = 0;
};

// Bytes, beside libtorch itself.
double memory_needed(const MemoryQuestion& of);
// Beside those, where the frozen matrices are packed for their products; 0: none can be.
double memory_of_packed(const MemoryQuestion& of);

// Where the run computes; 0 where it is not known.
double memory_available(at::Device device);
// exhausted: more is needed than is free.
Status check_memory(double needed, at::Device device);

}  // namespace understudy::s5
