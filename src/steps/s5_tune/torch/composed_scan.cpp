#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>

#include <limits>

#include "steps/s5_tune/torch/composed_operations.hpp"

namespace understudy::s5::composed {

namespace {

constexpr std::int64_t chunk_tokens = 64;

// (..., i, j) = the sum of values (..., j+1) to (..., i); minus infinity where j > i. Not by
// differences of one running sum, which would lose the small ones behind the large.
at::Tensor sums_between(const at::Tensor& values) {
  const std::int64_t n = values.size(-1);
  const at::Tensor seen = at::ones({n, n}, values.options().dtype(at::kBool)).tril_();
  std::vector<std::int64_t> square = values.sizes().vec();
  square.push_back(n);
  return values.unsqueeze(-1)
      .expand(square)
      .masked_fill(seen.tril(-1).logical_not(), 0)
      .cumsum(-2)
      .masked_fill(seen.logical_not(), -std::numeric_limits<double>::infinity());
}

// What texts of a group lie in: t texts, c chunks, l or s tokens of a chunk, g groups of heads,
// k heads of a group, p channels of a head, n values of state for each.
struct ChunkedTexts {
  at::Tensor added;  // x * dt: tclgkp
  at::Tensor b, c;   // tclgn
  at::Tensor logs;   // of what is kept of the state at each token: tcgkl
};

ChunkedTexts in_chunks(const ScanShape& shape, const at::Tensor& xbc, const at::Tensor& dt,
                       const at::Tensor& decay) {
  const std::int64_t texts = xbc.size(0);
  const std::int64_t chunks = (xbc.size(1) + chunk_tokens - 1) / chunk_tokens;
  const std::int64_t missing = chunks * chunk_tokens - xbc.size(1);
  const std::int64_t heads = shape.heads / shape.groups;
  const std::int64_t inner = shape.heads * shape.head_width;
  const std::int64_t kept = shape.groups * shape.state;
  const auto chunked = [&](const at::Tensor& tokens, std::vector<std::int64_t> of_token) {
    std::vector<std::int64_t> sizes = {texts, chunks, chunk_tokens};
    sizes.insert(sizes.end(), of_token.begin(), of_token.end());
    return at::constant_pad_nd(tokens, {0, 0, 0, missing}).reshape(sizes);
  };
  const at::Tensor steps = chunked(dt, {shape.groups, heads});
  return {.added = chunked(xbc.narrow(2, 0, inner), {shape.groups, heads, shape.head_width})
                       .mul(steps.unsqueeze(-1)),
          .b = chunked(xbc.narrow(2, inner, kept), {shape.groups, shape.state}),
          .c = chunked(xbc.narrow(2, inner + kept, kept), {shape.groups, shape.state}),
          .logs = steps.mul(decay.view({shape.groups, heads})).permute({0, 1, 3, 4, 2})};
}

// texts x length x inner, of a padded group; `dt` is 0 in the padding.
at::Tensor scan_group(const ScanShape& shape, const at::Tensor& xbc, const at::Tensor& dt,
                      const at::Tensor& decay) {
  const ChunkedTexts texts = in_chunks(shape, xbc, dt, decay);
  // Within a chunk.
  const at::Tensor kept = sums_between(texts.logs).exp();  // tcgkls
  const at::Tensor read = at::einsum("tclgn,tcsgn->tcgls", {texts.c, texts.b}).unsqueeze(3);
  const at::Tensor within = at::einsum("tcgkls,tcsgkp->tclgkp", {read.mul(kept), texts.added});
  // What each chunk adds to the state, and the state that it begins with.
  const at::Tensor to_end = kept.select(-2, chunk_tokens - 1).permute({0, 1, 4, 2, 3});
  const at::Tensor states =
      at::einsum("tcsgkp,tcsgn->tcgkpn", {texts.added.mul(to_end.unsqueeze(-1)), texts.b});
  const at::Tensor carried = sums_between(texts.logs.sum(-1).permute({0, 2, 3, 1})).exp();
  const at::Tensor ends = at::einsum("tgkzc,tcgkpn->tzgkpn", {carried, states});
  const at::Tensor begins =
      at::cat({at::zeros_like(ends.narrow(1, 0, 1)), ends.narrow(1, 0, ends.size(1) - 1)}, 1);
  const at::Tensor since_begin = texts.logs.cumsum(-1).exp().permute({0, 1, 4, 2, 3});
  const at::Tensor before =
      at::einsum("tclgn,tcgkpn->tclgkp", {texts.c, begins}).mul(since_begin.unsqueeze(-1));
  return within.add(before).flatten(3).flatten(1, 2).narrow(1, 0, xbc.size(1));
}

}  // namespace

at::Tensor scan(const Pack& pack, const ScanShape& shape, const ScanTensors& input) {
  at::Tensor y =
      at::empty({input.xbc.size(0), shape.heads * shape.head_width}, input.xbc.options());
  for (const TextGroup& group : pack.groups) {
    group.put(
        scan_group(shape, group.padded(input.xbc), group.padded_with_zeros(input.dt), input.decay),
        y);
  }
  return y;
}

ScanGradients scan_backward(const Pack& pack, const ScanShape& shape, const ScanTensors& input,
                            const at::Tensor& dy) {
  ScanGradients gradients{.dxbc = at::empty_like(input.xbc), .ddt = at::empty_like(input.dt)};
  for (const TextGroup& group : pack.groups) {
    at::Tensor xbc, dt;
    {
      const c10::InferenceMode with_autograd(false);
      xbc = group.padded(input.xbc).requires_grad_();
      dt = group.padded_with_zeros(input.dt).requires_grad_();
      scan_group(shape, xbc, dt, input.decay.clone()).backward(group.padded_with_zeros(dy));
    }
    group.put(xbc.grad(), gradients.dxbc);
    group.put(dt.grad(), gradients.ddt);
  }
  return gradients;
}

}  // namespace understudy::s5::composed
