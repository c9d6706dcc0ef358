// The recurrence of a Mamba-2 block (arXiv 2405.21060), token by token, forward and backward, and
// the short convolution in front of it. Heads of one group share B and C. Real: float, or double to
// check gradients. Groups are split over ATen's threads; sums have a fixed order.
//
//   S_t = exp(dt_t * a) * S_{t-1} + dt_t * x_t (outer) B_t,   y_t = S_t C_t,   S_0 = 0 in each text
#pragma once

#include <cstdint>
#include <vector>

namespace understudy::s5 {

struct ScanShape {
  std::int64_t heads = 0;
  std::int64_t head_width = 0;
  std::int64_t groups = 0;
  std::int64_t state = 0;
  // Of rows of [x | B | C]: heads * head_width, then groups * state twice.
  [[nodiscard]] std::int64_t row() const { return heads * head_width + 2 * groups * state; }
};

template <class Real>
struct ScanInput {
  const Real* xbc = nullptr;    // tokens x row()
  const Real* dt = nullptr;     // tokens x heads, positive
  const Real* decay = nullptr;  // heads: a, negative
};

// y: tokens x heads * head_width.
template <class Real>
void scan(const ScanShape& shape, const std::vector<std::int64_t>& begins,
          const ScanInput<Real>& input, Real* y);
// Fills dxbc and ddt.
template <class Real>
void scan_backward(const ScanShape& shape, const std::vector<std::int64_t>& begins,
                   const ScanInput<Real>& input, const Real* dy, Real* dxbc, Real* ddt);

// out_t = bias + the sum over k of weight[k] * in_{t - taps + 1 + k}, channel by channel, within
// each text. weight: channels x taps.
struct ConvolutionShape {
  std::int64_t channels = 0;
  std::int64_t taps = 0;
};
template <class Real>
void convolve(const ConvolutionShape& shape, const std::vector<std::int64_t>& begins,
              const Real* weight, const Real* bias, const Real* in, Real* out);
template <class Real>
void convolve_backward(const ConvolutionShape& shape, const std::vector<std::int64_t>& begins,
                       const Real* weight, const Real* dout, Real* din);

}  // namespace understudy::s5
