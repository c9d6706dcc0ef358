#include "steps/s5_tune/torch/pack.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

namespace understudy::s5 {

namespace {

constexpr std::int64_t tokens_divide_by = 32;

}  // namespace

void fill_up(Pack& pack) {
  const std::int64_t over = pack.begins.back() % tokens_divide_by;
  if (over == 0) return;
  const std::int64_t filler = tokens_divide_by - over;
  pack.tokens = at::cat({pack.tokens, at::zeros({filler}, pack.tokens.options())});
  pack.positions = at::cat({pack.positions, at::arange(filler, pack.positions.options())});
  pack.begins.push_back(pack.begins.back() + filler);
}

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
