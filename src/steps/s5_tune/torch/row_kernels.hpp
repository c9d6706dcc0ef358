// The element-wise parts of a transformer block, forward and backward, each in one pass over its
// rows: what ATen would do in many. Rows are contiguous. f32 to train, f64 to check the gradients.
// They split the rows over ATen's threads.
#pragma once

#include <cstdint>

namespace understudy::s5 {

// out = x / rms(x) * gain; `scale` keeps 1 / rms(x) of each row.
template <class Real>
void rms_norm(std::int64_t rows, std::int64_t width, const Real* x, const Real* gain, Real epsilon,
              Real* out, Real* scale);
// dx += the gradient of x. `dgain` is overwritten.
template <class Real>
void rms_norm_backward(std::int64_t rows, std::int64_t width, const Real* dout, const Real* x,
                       const Real* gain, const Real* scale, Real* dx, Real* dgain);

// Turns the pairs (2i, 2i+1) of every head by position * base^(-2i/head_width). `x` holds rows of
// `stride` values whose first heads * head_width are turned; `turns` holds (cos, sin) pairs by
// position and i. direction: 1 forward, -1 backward.
template <class Real>
struct Rotation {
  std::int64_t rows = 0;
  std::int64_t positions = 0;  // rows cycle through them
  std::int64_t heads = 0;
  std::int64_t head_width = 0;
  std::int64_t stride = 0;
  const Real* turns = nullptr;
  Real direction = 1;
};
template <class Real>
void rotate(const Rotation<Real>& rotation, Real* x);

// Rows of `gate_up` are [gate | up], each `width` long; sigmoid holds sigmoid(gate).
template <class Real>
void swiglu(std::int64_t rows, std::int64_t width, const Real* gate_up, const Real* sigmoid,
            Real* out);
template <class Real>
void swiglu_backward(std::int64_t rows, std::int64_t width, const Real* gate_up,
                     const Real* sigmoid, const Real* dout, Real* dgate_up);

}  // namespace understudy::s5
