#include "steps/s5_tune/torch/row_kernels.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "steps/s5_tune/torch/widest_vectors.hpp"

namespace understudy::s5 {

namespace {

constexpr std::int64_t rows_per_thread_min = 64;

// The bodies are inlined into the clones below, once for each type.
template <class Real>
[[gnu::always_inline]] inline void norm_rows(std::int64_t begin, std::int64_t end,
                                             std::int64_t width, const Real* x, const Real* gain,
                                             Real epsilon, Real* out, Real* scale) {
  for (std::int64_t r = begin; r < end; ++r) {
    const Real* row = x + r * width;
    Real squares = 0;
#pragma omp simd reduction(+ : squares)
    for (std::int64_t i = 0; i < width; ++i) squares += row[i] * row[i];
    const Real s = Real(1) / std::sqrt(squares / static_cast<Real>(width) + epsilon);
    scale[r] = s;
    Real* to = out + r * width;
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) to[i] = row[i] * s * gain[i];
  }
}

template <class Real>
[[gnu::always_inline]] inline void norm_rows_backward(std::int64_t begin, std::int64_t end,
                                                      std::int64_t width, const Real* dout,
                                                      const Real* x, const Real* gain,
                                                      const Real* scale, Real* dx, Real* dgain) {
  for (std::int64_t r = begin; r < end; ++r) {
    const Real* row = x + r * width;
    const Real* dy = dout + r * width;
    Real* to = dx + r * width;
    const Real s = scale[r];
    Real dot = 0;
#pragma omp simd reduction(+ : dot)
    for (std::int64_t i = 0; i < width; ++i) dot += dy[i] * gain[i] * row[i];
    const Real pull = dot * s * s * s / static_cast<Real>(width);
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) {
      to[i] += dy[i] * gain[i] * s - row[i] * pull;
      dgain[i] += dy[i] * row[i] * s;
    }
  }
}

template <class Real>
[[gnu::always_inline]] inline void rotate_rows(std::int64_t begin, std::int64_t end,
                                               const Rotation<Real>& by, Real* x) {
  const std::int64_t half = by.head_width / 2;
  for (std::int64_t r = begin; r < end; ++r) {
    const Real* turns = by.turns + (r % by.positions) * by.head_width;
    for (std::int64_t h = 0; h < by.heads; ++h) {
      Real* head = x + r * by.stride + h * by.head_width;
#pragma omp simd
      for (std::int64_t i = 0; i < half; ++i) {
        const Real cosine = turns[2 * i];
        const Real sine = turns[2 * i + 1] * by.direction;
        const Real a = head[2 * i];
        const Real b = head[2 * i + 1];
        head[2 * i] = a * cosine - b * sine;
        head[2 * i + 1] = a * sine + b * cosine;
      }
    }
  }
}

template <class Real>
[[gnu::always_inline]] inline void swiglu_rows(std::int64_t begin, std::int64_t end,
                                               std::int64_t width, const Real* gate_up,
                                               const Real* sigmoid, Real* out) {
  for (std::int64_t r = begin; r < end; ++r) {
    const Real* gate = gate_up + r * 2 * width;
    const Real* up = gate + width;
    const Real* s = sigmoid + r * width;
    Real* to = out + r * width;
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) to[i] = gate[i] * s[i] * up[i];
  }
}

template <class Real>
[[gnu::always_inline]] inline void swiglu_rows_backward(std::int64_t begin, std::int64_t end,
                                                        std::int64_t width, const Real* gate_up,
                                                        const Real* sigmoid, const Real* dout,
                                                        Real* dgate_up) {
  for (std::int64_t r = begin; r < end; ++r) {
    const Real* gate = gate_up + r * 2 * width;
    const Real* up = gate + width;
    const Real* s = sigmoid + r * width;
    const Real* dy = dout + r * width;
    Real* dgate = dgate_up + r * 2 * width;
    Real* dup = dgate + width;
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) {
      dgate[i] = dy[i] * up[i] * s[i] * (Real(1) + gate[i] * (Real(1) - s[i]));
      dup[i] = dy[i] * gate[i] * s[i];
    }
  }
}

WIDEST_VECTORS void norm_range(std::int64_t b, std::int64_t e, std::int64_t w, const float* x,
                               const float* g, float epsilon, float* out, float* scale) {
  norm_rows(b, e, w, x, g, epsilon, out, scale);
}
void norm_range(std::int64_t b, std::int64_t e, std::int64_t w, const double* x, const double* g,
                double epsilon, double* out, double* scale) {
  norm_rows(b, e, w, x, g, epsilon, out, scale);
}
WIDEST_VECTORS void norm_range_backward(std::int64_t b, std::int64_t e, std::int64_t w,
                                        const float* dout, const float* x, const float* g,
                                        const float* scale, float* dx, float* dgain) {
  norm_rows_backward(b, e, w, dout, x, g, scale, dx, dgain);
}
void norm_range_backward(std::int64_t b, std::int64_t e, std::int64_t w, const double* dout,
                         const double* x, const double* g, const double* scale, double* dx,
                         double* dgain) {
  norm_rows_backward(b, e, w, dout, x, g, scale, dx, dgain);
}
WIDEST_VECTORS void rotate_range(std::int64_t b, std::int64_t e, const Rotation<float>& by,
                                 float* x) {
  rotate_rows(b, e, by, x);
}
void rotate_range(std::int64_t b, std::int64_t e, const Rotation<double>& by, double* x) {
  rotate_rows(b, e, by, x);
}
WIDEST_VECTORS void swiglu_range(std::int64_t b, std::int64_t e, std::int64_t w,
                                 const float* gate_up, const float* sigmoid, float* out) {
  swiglu_rows(b, e, w, gate_up, sigmoid, out);
}
void swiglu_range(std::int64_t b, std::int64_t e, std::int64_t w, const double* gate_up,
                  const double* sigmoid, double* out) {
  swiglu_rows(b, e, w, gate_up, sigmoid, out);
}
WIDEST_VECTORS void swiglu_range_backward(std::int64_t b, std::int64_t e, std::int64_t w,
                                          const float* gate_up, const float* sigmoid,
                                          const float* dout, float* dgate_up) {
  swiglu_rows_backward(b, e, w, gate_up, sigmoid, dout, dgate_up);
}
void swiglu_range_backward(std::int64_t b, std::int64_t e, std::int64_t w, const double* gate_up,
                           const double* sigmoid, const double* dout, double* dgate_up) {
  swiglu_rows_backward(b, e, w, gate_up, sigmoid, dout, dgate_up);
}

}  // namespace

template <class Real>
void rms_norm(std::int64_t rows, std::int64_t width, const Real* x, const Real* gain, Real epsilon,
              Real* out, Real* scale) {
  at::parallel_for(0, rows, rows_per_thread_min, [&](std::int64_t begin, std::int64_t end) {
    norm_range(begin, end, width, x, gain, epsilon, out, scale);
  });
}

template <class Real>
void rms_norm_backward(std::int64_t rows, std::int64_t width, const Real* dout, const Real* x,
                       const Real* gain, const Real* scale, Real* dx, Real* dgain) {
  // The sums of each share of the rows, added in their order: not in that of the threads' ends.
  std::vector<std::vector<Real>> sums(static_cast<std::size_t>(at::get_num_threads()));
  at::parallel_for(0, rows, rows_per_thread_min, [&](std::int64_t begin, std::int64_t end) {
    auto& own = sums[static_cast<std::size_t>(at::get_thread_num())];
    own.assign(static_cast<std::size_t>(width), Real(0));
    norm_range_backward(begin, end, width, dout, x, gain, scale, dx, own.data());
  });
  std::fill_n(dgain, width, Real(0));
  for (const std::vector<Real>& own : sums) {
    for (std::size_t i = 0; i < own.size(); ++i) dgain[i] += own[i];
  }
}

template <class Real>
void rotate(const Rotation<Real>& rotation, Real* x) {
  at::parallel_for(
      0, rotation.rows, rows_per_thread_min,
      [&](std::int64_t begin, std::int64_t end) { rotate_range(begin, end, rotation, x); });
}

template <class Real>
void swiglu(std::int64_t rows, std::int64_t width, const Real* gate_up, const Real* sigmoid,
            Real* out) {
  at::parallel_for(0, rows, rows_per_thread_min, [&](std::int64_t begin, std::int64_t end) {
    swiglu_range(begin, end, width, gate_up, sigmoid, out);
  });
}

template <class Real>
void swiglu_backward(std::int64_t rows, std::int64_t width, const Real* gate_up,
                     const Real* sigmoid, const Real* dout, Real* dgate_up) {
  at::parallel_for(0, rows, rows_per_thread_min, [&](std::int64_t begin, std::int64_t end) {
    swiglu_range_backward(begin, end, width, gate_up, sigmoid, dout, dgate_up);
  });
}

template void rms_norm(std::int64_t, std::int64_t, const float*, const float*, float, float*,
                       float*);
template void rms_norm(std::int64_t, std::int64_t, const double*, const double*, double, double*,
                       double*);
template void rms_norm_backward(std::int64_t, std::int64_t, const float*, const float*,
                                const float*, const float*, float*, float*);
template void rms_norm_backward(std::int64_t, std::int64_t, const double*, const double*,
                                const double*, const double*, double*, double*);
template void rotate(const Rotation<float>&, float*);
template void rotate(const Rotation<double>&, double*);
template void swiglu(std::int64_t, std::int64_t, const float*, const float*, float*);
template void swiglu(std::int64_t, std::int64_t, const double*, const double*, double*);
template void swiglu_backward(std::int64_t, std::int64_t, const float*, const float*, const float*,
                              float*);
template void swiglu_backward(std::int64_t, std::int64_t, const double*, const double*,
                              const double*, double*);

}  // namespace understudy::s5
