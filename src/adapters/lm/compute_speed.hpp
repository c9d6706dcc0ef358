// How fast this machine computes what a small model needs, measured in about half a second: bytes
// from memory (what bounds writing an answer, as each token reads all weights) and multiplications
// of matrices by ggml (what bounds reading a prompt). Busy machines measure slower: best of a few.
#pragma once

#include "base/result.hpp"

namespace understudy::lm {

struct ComputeSpeed {
  double memory_bytes_per_s = 0;
  double multiply_flops = 0;  // f16 weights, f32 activations; a multiply-add counts as two
};

// `threads` at least 1. unavailable where ggml has no code for this processor.
Result<ComputeSpeed> measure_compute_speed(unsigned threads);

}  // namespace understudy::lm
