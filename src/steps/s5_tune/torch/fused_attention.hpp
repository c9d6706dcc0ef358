// Attention off the CPU: ATen's scaled_dot_product_attention, which picks the fused kernel that the
// device has, over the texts of a pack in groups. The backward pass is ATen's, too, through a graph
// of this one operation that lives as long as the pass. Capped scores, which no fused kernel takes,
// are composed, and keep texts * heads * length^2 values.
#pragma once

#include "steps/s5_tune/torch/attention.hpp"
#include "steps/s5_tune/torch/text_groups.hpp"

namespace understudy::s5 {

AttentionPass attend_fused(const AttentionInput& input, const std::vector<TextGroup>& groups,
                           const AttentionShape& shape);
// Fills the gradients. Once for each pass: the graph is used up.
void attend_fused_backward(const at::Tensor& dout, const AttentionPass& pass,
                           const std::vector<TextGroup>& groups, const AttentionInput& gradient);

}  // namespace understudy::s5
