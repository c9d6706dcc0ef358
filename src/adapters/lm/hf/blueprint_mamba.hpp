// Mamba-2 blocks in the blueprints of the families that have them. Private to this folder. Pure.
#pragma once

#include <string>
#include <vector>

#include "adapters/lm/hf/blueprint_parts.hpp"

namespace understudy::lm {

struct MambaShape {
  std::int64_t heads = 0;
  std::int64_t inner = 0;
  std::int64_t groups = 0;  // of heads that share B and C
  std::int64_t state = 0;
  std::int64_t taps = 0;  // of the convolution

  [[nodiscard]] std::int64_t convolved() const { return inner + 2 * groups * state; }
  [[nodiscard]] std::int64_t projected() const { return inner + convolved() + heads; }
};

// corrupt where heads and groups do not fit each other.
Status check_mamba(const ModelConfig& config, const MambaShape& mamba);
void set_mamba_keys(const ArchitectureKeys& keys, const MambaShape& mamba);

struct MambaRules {
  std::string branch = "mixer";
  bool normed = true;  // before the out-projection
  std::vector<RowFactor> in_factors = {};
  std::vector<RowFactor> out_factors = {};
};
// `width` is the model's.
void add_mamba(DecoderRules& rules, std::int64_t layer, const MambaShape& mamba, std::int64_t width,
               const MambaRules& of = {});

}  // namespace understudy::lm
