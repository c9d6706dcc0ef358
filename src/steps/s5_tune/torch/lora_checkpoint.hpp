// The state of a LoRA run as one safetensors file, replaced as a whole: what is needed to go on bit
// for bit. The order of the data and the dropout follow from the seed and the step. Tensors may lie
// on any device.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

struct LoraState {
  at::Tensor first = {}, second = {};  // AdamW's averages; only on the way to and from the file
  at::Tensor best = {};                // the parameters with the least validation loss
  std::int64_t step = 0;
  std::int64_t steps_max = 0;  // fixed once it is known how many fit into the time
  std::int64_t tokens = 0;
  std::int64_t stale = 0;  // looks at the validation part since the best
  double best_loss = 1e30;
  double best_exact = 0;
  double loss_before = 0;
  double seconds = 0;
};

// `fingerprint` stands for base, data and options.
Status save_state(const std::filesystem::path& path, const LoraState& state,
                  const at::Tensor& parameters, const std::string& fingerprint);
// Fills tensors in place. conflict: the checkpoint is of another run.
Status load_state(const std::filesystem::path& path, LoraState& state, const at::Tensor& parameters,
                  const std::string& fingerprint);

}  // namespace understudy::s5
