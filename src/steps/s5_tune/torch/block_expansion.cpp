#include "steps/s5_tune/torch/block_expansion.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

namespace understudy::s5 {

namespace {

// All below are of rows x blocks first; the layouts are those of ggml-common.h.
struct Field {
  std::int64_t at = 0;     // byte in the block
  std::int64_t bytes = 0;  // long
};

at::Tensor field(const at::Tensor& blocks, const Field& of) {
  return blocks.narrow(2, of.at, of.bytes);
}

// A 16-bit float: rows x blocks x 1, in f32.
at::Tensor scale_at(const at::Tensor& blocks, std::int64_t byte) {
  return field(blocks, {.at = byte, .bytes = 2}).contiguous().view(at::kHalf).to(at::kFloat);
}

at::Tensor signed_bytes(const at::Tensor& bytes) { return bytes.contiguous().view(at::kChar); }

at::Tensor low(const at::Tensor& bytes) { return bytes.bitwise_and(0x0F); }
at::Tensor high(const at::Tensor& bytes) { return bytes.bitwise_right_shift(4); }

at::Tensor expand_q8_0(const at::Tensor& blocks) {
  const at::Tensor codes = signed_bytes(field(blocks, {.at = 2, .bytes = 32}));
  return codes.to(at::kFloat).mul_(scale_at(blocks, 0));
}

at::Tensor expand_q4_0(const at::Tensor& blocks) {
  const at::Tensor codes = field(blocks, {.at = 2, .bytes = 16});
  return at::cat({low(codes), high(codes)}, 2).to(at::kFloat).sub_(8).mul_(scale_at(blocks, 0));
}

// Eight scales and eight minima of six bits in twelve bytes: rows x blocks x 8 each, uint8.
struct SixBits {
  at::Tensor scales, minima;
};
SixBits six_bits(const at::Tensor& packed) {
  const at::Tensor a = packed.narrow(2, 0, 4);
  const at::Tensor b = packed.narrow(2, 4, 4);
  const at::Tensor c = packed.narrow(2, 8, 4);
  const auto top = [](const at::Tensor& bytes) {
    return bytes.bitwise_right_shift(6).bitwise_left_shift(4);
  };
  return {.scales = at::cat({a.bitwise_and(63), low(c).bitwise_or(top(a))}, 2),
          .minima = at::cat({b.bitwise_and(63), high(c).bitwise_or(top(b))}, 2)};
}

// Codes of Q4_K and Q5_K: 32 bytes hold the low halves of two runs of 32 values.
at::Tensor runs_of_32(const at::Tensor& bytes) {
  const at::Tensor quarters = bytes.unflatten(2, {4, 32});
  return at::stack({low(quarters), high(quarters)}, 3).flatten(2, 3);  // rows, blocks, 8, 32
}

// codes (rows x blocks x 8 x 32) * scale - minimum, of each run of 32.
at::Tensor scaled_runs(const at::Tensor& codes, const at::Tensor& blocks) {
  const auto [scales, minima] = six_bits(field(blocks, {.at = 4, .bytes = 12}));
  const at::Tensor scale = scales.to(at::kFloat).mul_(scale_at(blocks, 0));
  const at::Tensor minimum = minima.to(at::kFloat).mul_(scale_at(blocks, 2));
  return codes.to(at::kFloat).mul_(scale.unsqueeze(3)).sub_(minimum.unsqueeze(3));
}

at::Tensor expand_q4_k(const at::Tensor& blocks) {
  return scaled_runs(runs_of_32(field(blocks, {.at = 16, .bytes = 128})), blocks);
}

// A fifth bit of each code: bit i of 32 bytes belongs to run i.
at::Tensor expand_q5_k(const at::Tensor& blocks) {
  const at::Tensor bits = field(blocks, {.at = 16, .bytes = 32}).unsqueeze(2);
  const at::Tensor run = at::arange(8, blocks.options()).view({8, 1});
  const at::Tensor fifth = bits.bitwise_right_shift(run).bitwise_and(1).bitwise_left_shift(4);
  const at::Tensor codes = runs_of_32(field(blocks, {.at = 48, .bytes = 128}));
  return scaled_runs(codes.bitwise_or(fifth), blocks);
}

// Two halves of 128 values: 64 bytes with four bits each, 32 with the upper two of four runs.
at::Tensor expand_q6_k(const at::Tensor& blocks) {
  const at::Tensor fours = field(blocks, {.at = 0, .bytes = 128}).unflatten(2, {2, 2, 32});
  const at::Tensor lower = at::cat({low(fours), high(fours)}, 3);  // rows, blocks, 2, 4, 32
  const at::Tensor twos = field(blocks, {.at = 128, .bytes = 64}).unflatten(2, {2, 1, 32});
  const at::Tensor shift = at::arange(0, 8, 2, blocks.options()).view({4, 1});
  const at::Tensor upper = twos.bitwise_right_shift(shift).bitwise_and(3).bitwise_left_shift(4);
  const at::Tensor codes = lower.bitwise_or(upper).to(at::kFloat).sub_(32);
  const at::Tensor scales = signed_bytes(field(blocks, {.at = 192, .bytes = 16}))
                                .to(at::kFloat)
                                .mul_(scale_at(blocks, 208));
  return codes.unflatten(4, {2, 16}).mul_(scales.view({scales.size(0), -1, 2, 4, 2, 1}));
}

std::int64_t block_bytes(lm::StoredAs type) {
  switch (type) {
    case lm::StoredAs::q8_0: return 34;
    case lm::StoredAs::q4_0: return 18;
    case lm::StoredAs::q4_k: return 144;
    case lm::StoredAs::q5_k: return 176;
    case lm::StoredAs::q6_k: return 210;
    case lm::StoredAs::f32:
    case lm::StoredAs::f16:
    case lm::StoredAs::bf16: break;
  }
  return 0;
}

at::Tensor expand(lm::StoredAs type, const at::Tensor& blocks) {
  switch (type) {
    case lm::StoredAs::q8_0: return expand_q8_0(blocks);
    case lm::StoredAs::q4_0: return expand_q4_0(blocks);
    case lm::StoredAs::q4_k: return expand_q4_k(blocks);
    case lm::StoredAs::q5_k: return expand_q5_k(blocks);
    case lm::StoredAs::q6_k: return expand_q6_k(blocks);
    case lm::StoredAs::f32:
    case lm::StoredAs::f16:
    case lm::StoredAs::bf16: break;
  }
  CHECK(false, "plain numbers lie in no blocks");
  return {};
}

}  // namespace

bool is_in_blocks(lm::StoredAs type) { return block_bytes(type) > 0; }

at::Tensor expand_blocks(lm::StoredAs type, const at::Tensor& bytes) {
  return expand(type, bytes.unflatten(1, {-1, block_bytes(type)})).flatten(1);
}

}  // namespace understudy::s5
