#include "steps/s5_tune/torch/composed_operations.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>

#include <algorithm>
#include <bit>

namespace understudy::s5::composed {

namespace {

at::Tensor in_sums(const at::Tensor& tensor) { return tensor.to(sum_type(tensor.scalar_type())); }

at::Tensor rows_of(const at::Tensor& x, const at::Tensor& gain) {
  return in_sums(x).reshape({-1, gain.numel()});
}

at::Tensor activated(const at::Tensor& x, Gate gate) {
  switch (gate) {
    case Gate::silu: return at::silu(x);
    case Gate::gelu: return at::gelu(x, "tanh");
    case Gate::relu_squared: break;
  }
  return x.relu().square_();
}

at::Tensor activated_backward(const at::Tensor& dout, const at::Tensor& x, Gate gate) {
  switch (gate) {
    case Gate::silu: return at::silu_backward(dout, x);
    case Gate::gelu: return at::gelu_backward(dout, x, "tanh");
    case Gate::relu_squared: break;
  }
  return x.relu().mul_(2).mul_(dout);
}

// The two values of each pair that turns together: rows x heads x pairs, views.
struct Pairs {
  at::Tensor first, second;
};
Pairs pairs_of(const at::Tensor& rows, const HeadTurns& by) {
  const std::int64_t half = by.rope_width / 2;
  const at::Tensor heads =
      rows.unflatten(1, {rows.size(1) / by.head_width, by.head_width}).narrow(2, 0, by.rope_width);
  if (by.pairs == RopePairs::halves) {
    return {.first = heads.narrow(2, 0, half), .second = heads.narrow(2, half, half)};
  }
  const at::Tensor pairs = heads.unflatten(2, {half, 2});
  return {.first = pairs.select(3, 0), .second = pairs.select(3, 1)};
}

// The multiplier or mask of a 64-bit hash as ATen's signed integers, which wrap around.
std::int64_t as_signed(std::uint64_t bits) { return std::bit_cast<std::int64_t>(bits); }

// A shift to the right that brings in zeros: ATen's keeps the sign.
at::Tensor shifted(const at::Tensor& bits, int by) {
  return bits.bitwise_right_shift(by).bitwise_and_(as_signed(~0ULL >> static_cast<unsigned>(by)));
}

}  // namespace

Normed norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) {
  const at::Tensor rows = rows_of(x, gain);
  const at::Tensor scale = rows.square().mean(1, true).add_(epsilon).rsqrt_();
  return {.out = rows.mul(scale).mul_(gain).to(x.scalar_type()).view(x.sizes()),
          .scale = scale.view({-1})};
}

at::Tensor norm_backward(const NormBackward& pass) {
  const at::Tensor rows = rows_of(pass.x, pass.gain);
  const at::Tensor scale = pass.scale.view({-1, 1});
  const at::Tensor dnormed = rows_of(pass.dout, pass.gain).mul(pass.gain);
  const at::Tensor pull = dnormed.mul(rows).mean(1, true).mul_(scale.pow(3));
  const at::Tensor dx = dnormed.mul_(scale).sub_(rows.mul(pull));
  if (pass.carried.defined()) dx.add_(rows_of(pass.carried, pass.gain));
  return dx.to(pass.x.scalar_type()).view(pass.x.sizes());
}

void turn_heads(const at::Tensor& rows, const HeadTurns& by) {
  const auto [first, second] = pairs_of(rows, by);
  const at::Tensor turns =
      by.turns.view({by.turns.size(0), 1, by.rope_width / 2, 2}).index_select(0, by.positions);
  const at::Tensor cosine = turns.select(3, 0);
  const at::Tensor sine = turns.select(3, 1).mul(by.direction);
  const at::Tensor a = in_sums(first);
  const at::Tensor b = in_sums(second);
  const at::Tensor turned = a.mul(cosine).sub_(b.mul(sine));
  second.copy_(a.mul(sine).add_(b.mul(cosine)));
  first.copy_(turned);
}

namespace {

at::Tensor gated(const at::Tensor& activated, const at::Tensor& up) {
  return up.defined() ? activated.mul(up) : activated.contiguous();
}

}  // namespace

at::Tensor gate(const GateUp& from, Gate gate) {
  return gated(activated(from.gate, gate), from.up);
}

at::Tensor gate_backward(const at::Tensor& dout, const GateUp& from, Gate gate, const GateUp& to) {
  const at::Tensor value = activated(from.gate, gate);
  const at::Tensor dvalue = from.up.defined() ? dout.mul(from.up) : dout;
  to.gate.copy_(activated_backward(dvalue, from.gate, gate));
  if (from.up.defined()) to.up.copy_(value.mul(dout));
  return gated(value, from.up);
}

at::Tensor cap_values(const at::Tensor& values, double cap) {
  const at::Tensor tanh = in_sums(values).div(cap).tanh_();
  values.copy_(tanh.mul(cap));
  return tanh.square().neg_().add_(1).to(values.scalar_type());
}

void cross_entropy(const at::Tensor& logits, const RowTargets& rows, const RowLosses& losses) {
  const at::Tensor targets = rows.targets.unsqueeze(1);
  losses.right.copy_(logits.argmax(1).eq(rows.targets));  // of equal ones, the first
  const at::Tensor logs = at::log_softmax(in_sums(logits).mul(rows.scale), 1);
  losses.nats.copy_(logs.gather(1, targets).squeeze(1).neg_());
  const at::Tensor gradient = logs.exp();
  gradient.scatter_add_(1, targets, at::ones(targets.sizes(), gradient.options()).neg_());
  gradient.mul_(rows.weights.to(gradient.scalar_type()).mul(rows.scale).unsqueeze(1));
  logits.copy_(gradient);
}

at::Tensor drop(const at::Tensor& x, const Dropout& dropout) {
  const auto limit = static_cast<std::uint32_t>(dropout.keep * 4294967295.0);
  at::Tensor bits = at::arange(x.numel(), x.options().dtype(at::kLong))
                        .mul_(as_signed(0x9E3779B97F4A7C15ULL))
                        .add_(as_signed(dropout.seed));
  bits = shifted(bits, 30).bitwise_xor_(bits).mul_(as_signed(0xBF58476D1CE4E5B9ULL));
  bits = shifted(bits, 27).bitwise_xor_(bits).mul_(as_signed(0x94D049BB133111EBULL));
  const at::Tensor dropped = shifted(bits, 32).gt(static_cast<std::int64_t>(limit));
  return x.mul(1 / dropout.keep).masked_fill_(dropped.view(x.sizes()), 0);
}

namespace {

// The weight of the token `back` places before.
at::Tensor tap(const Convolution& by, std::int64_t back) {
  return by.weight.view({by.shape.channels, by.shape.taps}).select(1, by.shape.taps - 1 - back);
}

// Of tokens from number `back` on: 1 where the one `back` places before is of the same text.
at::Tensor reaches(const Pack& pack, std::int64_t back, const at::Tensor& like) {
  const std::int64_t count = like.size(0) - back;
  return pack.positions.narrow(0, back, count).ge(back).to(like.scalar_type()).unsqueeze(1);
}

}  // namespace

at::Tensor convolve(const Pack& pack, const Convolution& by, const at::Tensor& in) {
  const at::Tensor out = in.mul(tap(by, 0)).add_(by.bias);
  for (std::int64_t back = 1; back < std::min(by.shape.taps, in.size(0)); ++back) {
    const std::int64_t count = in.size(0) - back;
    out.narrow(0, back, count)
        .add_(in.narrow(0, 0, count).mul(tap(by, back)).mul_(reaches(pack, back, in)));
  }
  return out;
}

at::Tensor convolve_backward(const Pack& pack, const Convolution& by, const at::Tensor& dout) {
  const at::Tensor din = dout.mul(tap(by, 0));
  for (std::int64_t back = 1; back < std::min(by.shape.taps, dout.size(0)); ++back) {
    const std::int64_t count = dout.size(0) - back;
    din.narrow(0, 0, count)
        .add_(dout.narrow(0, back, count).mul(tap(by, back)).mul_(reaches(pack, back, dout)));
  }
  return din;
}

}  // namespace understudy::s5::composed
