#include "steps/s5_tune/torch/fused_attention.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <c10/core/InferenceMode.h>

#include <limits>

namespace understudy::s5 {

namespace {

// length x length: which keys a query sees.
at::Tensor seen_keys(std::int64_t length, std::int64_t window, at::Device device) {
  const at::Tensor at = at::arange(length, at::TensorOptions(at::kLong).device(device));
  const at::Tensor back = at.unsqueeze(1).sub(at.unsqueeze(0));
  const at::Tensor seen = back.ge(0);
  return window > 0 ? seen.logical_and(back.lt(window)) : seen;
}

// texts x heads x length x head_width, of texts x length x columns.
at::Tensor by_heads(const at::Tensor& padded, const AttentionShape& shape) {
  return padded.unflatten(2, {padded.size(2) / shape.head_width, shape.head_width}).transpose(1, 2);
}

// A key head for each query head.
at::Tensor repeated(const at::Tensor& heads, const AttentionShape& shape) {
  return heads.repeat_interleave(shape.heads / shape.kv_heads, 1);
}

at::Tensor capped(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  const AttentionShape& shape) {
  const at::Tensor scores = at::matmul(query, key.transpose(2, 3))
                                .to(sum_type(query.scalar_type()))
                                .mul(shape.scale / shape.cap)
                                .tanh()
                                .mul(shape.cap);
  const at::Tensor hidden = seen_keys(query.size(2), shape.window, query.device()).logical_not();
  const at::Tensor probabilities =
      at::softmax(scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()), 3);
  return at::matmul(probabilities.to(value.scalar_type()), value);
}

at::Tensor attended(const AttentionGraph& graph, const AttentionShape& shape) {
  const at::Tensor query = by_heads(graph.query, shape);
  const at::Tensor key = by_heads(graph.key, shape);
  const at::Tensor value = by_heads(graph.value, shape);
  if (shape.cap > 0) return capped(query, repeated(key, shape), repeated(value, shape), shape);
  const std::int64_t length = query.size(2);
  const bool windowed = shape.window > 0 && shape.window < length;
  // Of the fused kernels one takes shared key heads: that for narrow types without a mask.
  const bool shares = !windowed && query.scalar_type() == at::kBFloat16;
  return at::scaled_dot_product_attention(
      query, shares ? key : repeated(key, shape), shares ? value : repeated(value, shape),
      windowed ? std::optional(seen_keys(length, shape.window, query.device())) : std::nullopt,
      /*dropout_p=*/0.0, /*is_causal=*/!windowed, shape.scale, /*enable_gqa=*/shares);
}

}  // namespace

AttentionPass attend_fused(const AttentionInput& input, const std::vector<TextGroup>& groups,
                           const AttentionShape& shape) {
  AttentionPass pass{.out = at::empty({input.query.size(0), shape.heads * shape.head_width},
                                      input.query.options())};
  for (const TextGroup& group : groups) {
    AttentionGraph& graph = pass.graphs.emplace_back();
    {
      const c10::InferenceMode with_autograd(false);
      graph.query = group.padded(input.query).requires_grad_();
      graph.key = group.padded(input.key).requires_grad_();
      graph.value = group.padded(input.value).requires_grad_();
      graph.out = attended(graph, shape).transpose(1, 2).flatten(2);
    }
    group.put(graph.out.detach(), pass.out);
  }
  return pass;
}

void attend_fused_backward(const at::Tensor& dout, const AttentionPass& pass,
                           const std::vector<TextGroup>& groups, const AttentionInput& gradient) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const AttentionGraph& graph = pass.graphs[i];
    {
      const c10::InferenceMode with_autograd(false);
      graph.out.backward(groups[i].padded_with_zeros(dout));
    }
    groups[i].put(graph.query.grad(), gradient.query);
    groups[i].put(graph.key.grad(), gradient.key);
    groups[i].put(graph.value.grad(), gradient.value);
  }
}

}  // namespace understudy::s5
