// What Operations does where no row kernel can: the same computations composed of ATen's operators,
// for any device. Sums, exponentials and what lies between are in the type of sums, but for the
// gates, which round to the computed type after the activation, as transformers does. The scan is
// done in chunks, as matrix products within a chunk and a sum over chunks (arXiv 2405.21060, 6).
#pragma once

#include "steps/s5_tune/torch/operations.hpp"

namespace understudy::s5::composed {

Normed norm(const at::Tensor& x, const at::Tensor& gain, double epsilon);
at::Tensor norm_backward(const NormBackward& pass);
void turn_heads(const at::Tensor& rows, const HeadTurns& by);
at::Tensor gate(const GateUp& from, Gate gate);
at::Tensor gate_backward(const at::Tensor& dout, const GateUp& from, Gate gate, const GateUp& to);
at::Tensor cap_values(const at::Tensor& values, double cap);
void cross_entropy(const at::Tensor& logits, const RowTargets& rows, const RowLosses& losses);
at::Tensor drop(const at::Tensor& x, const Dropout& dropout);
at::Tensor convolve(const Pack& pack, const Convolution& by, const at::Tensor& in);
at::Tensor convolve_backward(const Pack& pack, const Convolution& by, const at::Tensor& dout);
at::Tensor scan(const Pack& pack, const ScanShape& shape, const ScanTensors& input);
ScanGradients scan_backward(const Pack& pack, const ScanShape& shape, const ScanTensors& input,
                            const at::Tensor& dy);

}  // namespace understudy::s5::composed
