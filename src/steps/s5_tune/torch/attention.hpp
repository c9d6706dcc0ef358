// Causal attention within the texts of a packed row of tokens, on matrix products: blocks of
// queries see only the keys up to them, so that half of the work is left out, and nothing crosses
// from one text into another. Query heads that share a key head are rows of one product. The
// packaged fused kernel for bf16 on the CPU is 14 to 20 times slower than its f32 form. What other
// devices do is in fused_attention.
#pragma once

#include <cstdint>
#include <vector>

#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

struct AttentionShape {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_width = 0;
  std::int64_t window = 0;  // 0: every token before
  double scale = 1;
  double cap = 0;  // scores s become cap * tanh(s / cap); 0: they stay
};

// tokens x heads * head_width and tokens x kv_heads * head_width; rows may be strided.
struct AttentionInput {
  at::Tensor query, key, value;
};

// One group of texts, padded (fused_attention): what the backward pass goes through.
struct AttentionGraph {
  at::Tensor query = {}, key = {}, value = {};  // texts x length x columns: leaves
  at::Tensor out = {};
};

struct AttentionPass {
  at::Tensor out;                           // tokens x heads * head_width
  at::Tensor log_sums = {};                 // heads x tokens, of the softmax; here only
  std::vector<AttentionGraph> graphs = {};  // of each group of texts; elsewhere only
};

// `begins`: where each text begins, and at last the number of tokens.
AttentionPass attend_in_blocks(const AttentionInput& input, const std::vector<std::int64_t>& begins,
                               const AttentionShape& shape);
// Fills the gradients of query, key and value, of the same shapes.
void attend_in_blocks_backward(const at::Tensor& dout, const AttentionInput& input,
                               const AttentionPass& pass, const std::vector<std::int64_t>& begins,
                               const AttentionShape& shape, const AttentionInput& gradient);

}  // namespace understudy::s5
