#include "steps/s5_tune/torch/composed_codes.hpp"

namespace understudy::s5::composed {

namespace {

// |value| / largest of its block, which is set; 0 in blocks of zeros.
at::Tensor shares(const at::Tensor& values, const CodedBlocks& blocks) {
  const at::Tensor sizes = values.abs();
  blocks.largest.copy_(sizes.amax(1, true));
  return sizes.div_(blocks.largest.masked_fill(blocks.largest.eq(0), 1));
}

}  // namespace

at::Tensor decode_signed(const CodedBlocks& blocks) {
  const at::Tensor steps = blocks.codes.to(at::kFloat).sub_(127).div_(127);
  return blocks.largest.mul(steps).mul_(steps.abs());
}

at::Tensor decode_positive(const CodedBlocks& blocks) {
  const at::Tensor squares = blocks.codes.to(at::kFloat).div_(255).square_();
  return blocks.largest.mul(squares).mul_(squares);
}

void encode_signed(const at::Tensor& values, const CodedBlocks& blocks) {
  const at::Tensor steps = shares(values, blocks).sqrt_().mul_(127).round_();
  blocks.codes.copy_(steps.mul_(values.sign()).add_(127));
}

void encode_positive(const at::Tensor& values, const CodedBlocks& blocks) {
  const at::Tensor steps = shares(values, blocks).sqrt_().sqrt_().mul_(255).sub_(1e-3);
  blocks.codes.copy_(steps.ceil_().clamp_(0, 255));
}

}  // namespace understudy::s5::composed
