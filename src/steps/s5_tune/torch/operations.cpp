#include "steps/s5_tune/torch/operations.hpp"

#include "steps/s5_tune/torch/composed_operations.hpp"
#include "steps/s5_tune/torch/decoder_kernels.hpp"
#include "steps/s5_tune/torch/fused_attention.hpp"
#include "steps/s5_tune/torch/softmax_kernels.hpp"

namespace understudy::s5 {

namespace {

template <class Value>
const Value* values_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<Value>() : nullptr;
}

template <class Function>
void with_real(const at::Tensor& tensor, const Function& function) {
  if (tensor.scalar_type() == at::kDouble) return function(double{});
  function(float{});
}

template <class Real>
ScanInput<Real> pointers(const ScanTensors& input) {
  return {.xbc = input.xbc.const_data_ptr<Real>(),
          .dt = input.dt.const_data_ptr<Real>(),
          .decay = input.decay.const_data_ptr<Real>()};
}

}  // namespace

Normed Operations::norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) const {
  if (composed()) return composed::norm(x, gain, epsilon);
  const std::int64_t width = gain.numel();
  Normed normed{.out = at::empty(x.sizes(), x.options()),
                .scale = at::empty({x.numel() / width}, gain.options())};
  with_value_of(x.scalar_type(), [&]<class Value>(Value) {
    norm_rows<Value>({.rows = x.numel() / width, .width = width}, x.const_data_ptr<Value>(),
                     gain.const_data_ptr<SumOf<Value>>(), epsilon, normed.out.data_ptr<Value>(),
                     normed.scale.data_ptr<SumOf<Value>>());
  });
  return normed;
}

at::Tensor Operations::norm_backward(const NormBackward& pass) const {
  if (composed()) return composed::norm_backward(pass);
  const std::int64_t width = pass.gain.numel();
  at::Tensor dx = at::empty_like(pass.x);
  with_value_of(pass.dout.scalar_type(), [&]<class Value>(Value) {
    norm_rows_backward<Value>({.rows = pass.dout.numel() / width, .width = width},
                              pass.dout.const_data_ptr<Value>(), pass.x.const_data_ptr<Value>(),
                              pass.gain.const_data_ptr<SumOf<Value>>(),
                              pass.scale.const_data_ptr<SumOf<Value>>(),
                              values_or_null<Value>(pass.carried), dx.data_ptr<Value>());
  });
  return dx;
}

void Operations::turn_heads(const at::Tensor& rows, const HeadTurns& by) const {
  if (composed()) return composed::turn_heads(rows, by);
  with_value_of(rows.scalar_type(), [&]<class Value>(Value) {
    s5::turn_heads<Value>({.rows = rows.size(0),
                           .stride = rows.stride(0),
                           .heads = rows.size(1) / by.head_width,
                           .head_width = by.head_width,
                           .rope_width = by.rope_width,
                           .pairs = by.pairs,
                           .positions = by.positions.const_data_ptr<std::int32_t>(),
                           .turns = by.turns.const_data_ptr<SumOf<Value>>(),
                           .direction = static_cast<SumOf<Value>>(by.direction)},
                          rows.data_ptr<Value>());
  });
}

at::Tensor Operations::gate(const GateUp& from, Gate gate) const {
  if (composed()) return composed::gate(from, gate);
  at::Tensor out = at::empty(from.gate.sizes(), from.gate.options());
  with_value_of(out.scalar_type(), [&]<class Value>(Value) {
    gate_rows<Value>({.shape = {.rows = out.size(0), .width = out.size(1)},
                      .stride = from.gate.stride(0),
                      .gate = gate},
                     from.gate.const_data_ptr<Value>(), values_or_null<Value>(from.up),
                     out.data_ptr<Value>());
  });
  return out;
}

at::Tensor Operations::gate_backward(const at::Tensor& dout, const GateUp& from, Gate gate,
                                     const GateUp& to) const {
  if (composed()) return composed::gate_backward(dout, from, gate, to);
  at::Tensor out = at::empty(from.gate.sizes(), from.gate.options());
  with_value_of(dout.scalar_type(), [&]<class Value>(Value) {
    gate_rows_backward<Value>({.shape = {.rows = dout.size(0), .width = dout.size(1)},
                               .stride = from.gate.stride(0),
                               .gate = gate},
                              from.gate.const_data_ptr<Value>(), values_or_null<Value>(from.up),
                              dout.const_data_ptr<Value>(),
                              {.gate = to.gate.data_ptr<Value>(),
                               .up = to.up.defined() ? to.up.data_ptr<Value>() : nullptr,
                               .out = out.data_ptr<Value>()});
  });
  return out;
}

at::Tensor Operations::cap_values(const at::Tensor& values, double cap) const {
  if (composed()) return composed::cap_values(values, cap);
  at::Tensor slopes = at::empty_like(values);
  with_value_of(values.scalar_type(), [&]<class Value>(Value) {
    s5::cap_values<Value>(values.numel(), cap, values.data_ptr<Value>(), slopes.data_ptr<Value>());
  });
  return slopes;
}

void Operations::cross_entropy(const at::Tensor& logits, const RowTargets& rows,
                               const RowLosses& losses) const {
  if (composed()) return composed::cross_entropy(logits, rows, losses);
  with_value_of(logits.scalar_type(), [&]<class Value>(Value) {
    cross_entropy_rows<Value>({.rows = logits.size(0), .width = logits.size(1)},
                              logits.data_ptr<Value>(), rows.targets.const_data_ptr<std::int64_t>(),
                              rows.weights.const_data_ptr<float>(), rows.scale,
                              {losses.nats.data_ptr<double>(), losses.right.data_ptr<bool>()});
  });
}

at::Tensor Operations::drop(const at::Tensor& x, const Dropout& dropout) const {
  if (composed()) return composed::drop(x, dropout);
  at::Tensor out = at::empty_like(x);
  with_value_of(x.scalar_type(), [&]<class Value>(Value) {
    drop_values<Value>(x.numel(), dropout.seed, dropout.keep, x.const_data_ptr<Value>(),
                       out.data_ptr<Value>());
  });
  return out;
}

at::Tensor Operations::convolve(const Pack& pack, const Convolution& by,
                                const at::Tensor& in) const {
  if (composed()) return composed::convolve(pack, by, in);
  at::Tensor out = at::empty_like(in);
  with_real(in, [&]<class Real>(Real) {
    s5::convolve<Real>(by.shape, pack.begins, by.weight.const_data_ptr<Real>(),
                       by.bias.const_data_ptr<Real>(), in.const_data_ptr<Real>(),
                       out.data_ptr<Real>());
  });
  return out;
}

at::Tensor Operations::convolve_backward(const Pack& pack, const Convolution& by,
                                         const at::Tensor& dout) const {
  if (composed()) return composed::convolve_backward(pack, by, dout);
  at::Tensor din = at::empty_like(dout);
  with_real(dout, [&]<class Real>(Real) {
    s5::convolve_backward<Real>(by.shape, pack.begins, by.weight.const_data_ptr<Real>(),
                                dout.const_data_ptr<Real>(), din.data_ptr<Real>());
  });
  return din;
}

at::Tensor Operations::scan(const Pack& pack, const ScanShape& shape,
                            const ScanTensors& input) const {
  if (composed()) return composed::scan(pack, shape, input);
  at::Tensor y =
      at::empty({input.xbc.size(0), shape.heads * shape.head_width}, input.xbc.options());
  with_real(y, [&]<class Real>(Real) {
    s5::scan<Real>(shape, pack.begins, pointers<Real>(input), y.data_ptr<Real>());
  });
  return y;
}

ScanGradients Operations::scan_backward(const Pack& pack, const ScanShape& shape,
                                        const ScanTensors& input, const at::Tensor& dy) const {
  if (composed()) return composed::scan_backward(pack, shape, input, dy);
  ScanGradients gradients{.dxbc = at::empty_like(input.xbc), .ddt = at::empty_like(input.dt)};
  with_real(dy, [&]<class Real>(Real) {
    s5::scan_backward<Real>(shape, pack.begins, pointers<Real>(input), dy.const_data_ptr<Real>(),
                            gradients.dxbc.data_ptr<Real>(), gradients.ddt.data_ptr<Real>());
  });
  return gradients;
}

AttentionPass Operations::attend(const Pack& pack, const AttentionShape& shape,
                                 const AttentionInput& input) const {
  return composed() ? attend_fused(input, pack.groups, shape)
                    : attend_in_blocks(input, pack.begins, shape);
}

void Operations::attend_backward(const Pack& pack, const AttentionShape& shape,
                                 const AttentionInput& input, const AttentionPass& pass,
                                 const at::Tensor& dout, const AttentionInput& gradient) const {
  if (composed()) return attend_fused_backward(dout, pass, pack.groups, gradient);
  attend_in_blocks_backward(dout, input, pass, pack.begins, shape, gradient);
}

}  // namespace understudy::s5
