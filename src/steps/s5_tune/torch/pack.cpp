#include "steps/s5_tune/torch/pack.hpp"

namespace understudy::s5 {

Pack moved_to(const Pack& pack, at::Device device) {
  Pack moved{.tokens = pack.tokens.to(device),
             .positions = pack.positions.to(device),
             .begins = pack.begins,
             .rows = pack.rows.to(device),
             .targets = pack.targets.to(device),
             .weights = pack.weights.to(device),
             .soft = pack.soft,
             .groups = group_texts(pack.begins, device)};
  if (moved.soft) {
    moved.soft->ids = moved.soft->ids.to(device);
    moved.soft->probabilities = moved.soft->probabilities.to(device);
  }
  return moved;
}

}  // namespace understudy::s5
