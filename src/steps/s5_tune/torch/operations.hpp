// The parts of a decoder that are no matrix products, on tensors: one place for each, which takes
// the row kernels in the CPU's memory (decoder_kernels, scan_kernels, attention) and compositions
// of ATen's operators (composed_operations, fused_attention) elsewhere. Rows are contiguous unless
// said otherwise. A value without state; any thread.
#pragma once

#include <cstdint>

#include "steps/s5_tune/families/decoder_plan.hpp"
#include "steps/s5_tune/torch/attention.hpp"
#include "steps/s5_tune/torch/computing.hpp"
#include "steps/s5_tune/torch/pack.hpp"
#include "steps/s5_tune/torch/scan_kernels.hpp"

namespace understudy::s5 {

struct Normed {
  at::Tensor out;
  at::Tensor scale;  // 1 / rms(x) of each row
};

struct NormBackward {
  const at::Tensor& dout;
  const at::Tensor& x;
  const at::Tensor& gain;
  const at::Tensor& scale;
  const at::Tensor& carried;  // may be undefined
};

struct HeadTurns {
  std::int64_t head_width = 0;
  std::int64_t rope_width = 0;
  RopePairs pairs = RopePairs::adjacent;
  const at::Tensor& positions;  // int32, of each row
  const at::Tensor& turns;      // positions x rope_width / 2 x 2: cos and sin, in the type of sums
  int direction = 1;            // -1: backward
};

// Each may be a half of rows that hold both; without gates there is no up.
struct GateUp {
  at::Tensor gate = {}, up = {};
};

struct RowTargets {
  at::Tensor targets;  // int64, of each row
  at::Tensor weights;  // f32, likewise
  double scale = 1;    // logits count times it
};

struct RowLosses {
  at::Tensor nats;   // f64, of each row
  at::Tensor right;  // bool: the first of the likeliest is the target

  [[nodiscard]] RowLosses narrow(std::int64_t begin, std::int64_t count) const {
    return {.nats = nats.narrow(0, begin, count), .right = right.narrow(0, begin, count)};
  }
};

struct Dropout {
  std::uint64_t seed = 0;
  double keep = 1;  // share
};

struct Convolution {
  ConvolutionShape shape;
  const at::Tensor& weight;  // channels * taps
  const at::Tensor& bias;    // channels
};

struct ScanTensors {
  at::Tensor xbc, dt, decay;  // as in scan_kernels, in the type of sums
};
struct ScanGradients {
  at::Tensor dxbc, ddt;
};

class Operations {
 public:
  Operations() = default;
  explicit Operations(const Computing& computing) : form_(computing.form) {}

  // x / rms(x) * gain, of rows of the gain's width.
  [[nodiscard]] Normed norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) const;
  // The gradient of x, plus `carried` where it is defined.
  [[nodiscard]] at::Tensor norm_backward(const NormBackward& pass) const;
  // In place; rows may be strided.
  void turn_heads(const at::Tensor& rows, const HeadTurns& by) const;
  // The gate's activation * up, or without it; rows may be strided.
  [[nodiscard]] at::Tensor gate(const GateUp& from, Gate gate) const;
  // Fills `to`, which lies as `from` does; returns what gate() gave.
  [[nodiscard]] at::Tensor gate_backward(const at::Tensor& dout, const GateUp& from, Gate gate,
                                         const GateUp& to) const;
  // Values v become cap * tanh(v / cap); returns what a gradient is multiplied by on the way back.
  [[nodiscard]] at::Tensor cap_values(const at::Tensor& values, double cap) const;
  // Logits become their gradient (softmax - target) * weight * scale. Fills `losses`.
  void cross_entropy(const at::Tensor& logits, const RowTargets& rows,
                     const RowLosses& losses) const;
  // x / keep where a hash of (seed, index) says so, else 0: the same ones in either form.
  [[nodiscard]] at::Tensor drop(const at::Tensor& x, const Dropout& dropout) const;

  // Over the tokens of each text, channel by channel.
  [[nodiscard]] at::Tensor convolve(const Pack& pack, const Convolution& by,
                                    const at::Tensor& in) const;
  [[nodiscard]] at::Tensor convolve_backward(const Pack& pack, const Convolution& by,
                                             const at::Tensor& dout) const;
  // Mamba-2's recurrence: tokens x heads * head_width.
  [[nodiscard]] at::Tensor scan(const Pack& pack, const ScanShape& shape,
                                const ScanTensors& input) const;
  [[nodiscard]] ScanGradients scan_backward(const Pack& pack, const ScanShape& shape,
                                            const ScanTensors& input, const at::Tensor& dy) const;

  [[nodiscard]] AttentionPass attend(const Pack& pack, const AttentionShape& shape,
                                     const AttentionInput& input) const;
  // Fills the gradients of query, key and value, of the same shapes.
  void attend_backward(const Pack& pack, const AttentionShape& shape, const AttentionInput& input,
                       const AttentionPass& pass, const at::Tensor& dout,
                       const AttentionInput& gradient) const;

 private:
  [[nodiscard]] bool composed() const { return form_ == OperationForm::composed; }

  OperationForm form_ = OperationForm::row_kernels;
};

}  // namespace understudy::s5
