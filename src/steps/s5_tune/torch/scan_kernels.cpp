#include "steps/s5_tune/torch/scan_kernels.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

namespace understudy::s5 {

namespace {

constexpr std::int64_t tokens_at_once = 32;  // whose states are kept while the gradient goes back

// One head in one text.
template <class Real>
struct HeadScan {
  const ScanShape& shape;
  const ScanInput<Real>& input;
  std::int64_t begin;
  std::int64_t end;
  std::int64_t head;

  [[nodiscard]] std::int64_t group() const { return head / (shape.heads / shape.groups); }
  [[nodiscard]] std::int64_t states() const { return shape.head_width * shape.state; }
  [[nodiscard]] std::int64_t x_at(std::int64_t t) const {
    return t * shape.row() + head * shape.head_width;
  }
  [[nodiscard]] std::int64_t b_at(std::int64_t t) const {
    return t * shape.row() + shape.heads * shape.head_width + group() * shape.state;
  }
  [[nodiscard]] std::int64_t c_at(std::int64_t t) const {
    return b_at(t) + shape.groups * shape.state;
  }
  [[nodiscard]] Real dt(std::int64_t t) const { return input.dt[t * shape.heads + head]; }
  [[nodiscard]] Real kept(std::int64_t t) const { return std::exp(dt(t) * input.decay[head]); }

  // `to` may be `from`.
  void advance(std::int64_t t, const Real* from, Real* to) const {
    const Real a = kept(t);
    const Real* x = input.xbc + x_at(t);
    const Real* b = input.xbc + b_at(t);
    for (std::int64_t p = 0; p < shape.head_width; ++p) {
      const Real added = x[p] * dt(t);
      const Real* before = from + p * shape.state;
      Real* after = to + p * shape.state;
#pragma omp simd
      for (std::int64_t n = 0; n < shape.state; ++n) after[n] = a * before[n] + added * b[n];
    }
  }

  void read(std::int64_t t, const Real* state, Real* y) const {
    const Real* c = input.xbc + c_at(t);
    for (std::int64_t p = 0; p < shape.head_width; ++p) {
      Real sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::int64_t n = 0; n < shape.state; ++n) sum += state[p * shape.state + n] * c[n];
      y[p] = sum;
    }
  }

  // One token back. `state` is S_t, `before` S_{t-1}, `flow` the gradient of S_t from what comes
  // after t; it becomes that of S_{t-1}.
  void back(std::int64_t t, const Real* state, const Real* before, const Real* dy, Real* flow,
            Real* dxbc, Real* ddt) const {
    const Real a = kept(t);
    const Real* x = input.xbc + x_at(t);
    const Real* b = input.xbc + b_at(t);
    const Real* c = input.xbc + c_at(t);
    Real* db = dxbc + b_at(t);
    Real* dc = dxbc + c_at(t);
    Real ddecay = 0;
    Real dstep = 0;
    for (std::int64_t p = 0; p < shape.head_width; ++p) {
      const Real* s = state + p * shape.state;
      const Real* s0 = before + p * shape.state;
      Real* g = flow + p * shape.state;
      const Real added = x[p] * dt(t);
      Real pull = 0;
      Real decayed = 0;
#pragma omp simd reduction(+ : pull, decayed)
      for (std::int64_t n = 0; n < shape.state; ++n) {
        dc[n] += s[n] * dy[p];
        g[n] += dy[p] * c[n];
        db[n] += g[n] * added;
        pull += g[n] * b[n];
        decayed += g[n] * s0[n];
        g[n] *= a;
      }
      dxbc[x_at(t) + p] += dt(t) * pull;
      dstep += x[p] * pull;
      ddecay += decayed;
    }
    ddt[t * shape.heads + head] += dstep + ddecay * a * input.decay[head];
  }

  void forward(Real* y) const {
    std::vector<Real> state(static_cast<std::size_t>(states()), 0);
    for (std::int64_t t = begin; t < end; ++t) {
      advance(t, state.data(), state.data());
      read(t, state.data(), y + t * shape.heads * shape.head_width + head * shape.head_width);
    }
  }

  void backward(const Real* dy, Real* dxbc, Real* ddt) const {
    const std::int64_t blocks = (end - begin + tokens_at_once - 1) / tokens_at_once;
    std::vector<Real> starts(static_cast<std::size_t>(blocks * states()), 0);
    for (std::int64_t block = 0; block + 1 < blocks; ++block) {
      Real* next = starts.data() + (block + 1) * states();
      std::copy_n(starts.data() + block * states(), states(), next);
      for (std::int64_t t = 0; t < tokens_at_once; ++t) {
        advance(begin + block * tokens_at_once + t, next, next);
      }
    }
    std::vector<Real> held(static_cast<std::size_t>((tokens_at_once + 1) * states()));
    std::vector<Real> flow(static_cast<std::size_t>(states()), 0);
    for (std::int64_t block = blocks; block-- > 0;) {
      const std::int64_t first = begin + block * tokens_at_once;
      const std::int64_t count = std::min(tokens_at_once, end - first);
      std::copy_n(starts.data() + block * states(), states(), held.data());
      const auto at = [&](std::int64_t i) { return held.data() + i * states(); };
      for (std::int64_t i = 0; i < count; ++i) advance(first + i, at(i), at(i + 1));
      for (std::int64_t i = count; i-- > 0;) {
        const std::int64_t t = first + i;
        back(t, at(i + 1), at(i), dy + t * shape.heads * shape.head_width + head * shape.head_width,
             flow.data(), dxbc, ddt);
      }
    }
  }
};

// Heads of a group write to the same B and C: one thread each group.
template <class Real, class Function>
void for_each_head(const ScanShape& shape, const std::vector<std::int64_t>& begins,
                   const ScanInput<Real>& input, const Function& function) {
  const std::int64_t per_group = shape.heads / shape.groups;
  at::parallel_for(0, shape.groups, 1, [&](std::int64_t from, std::int64_t to) {
    for (std::size_t text = 0; text + 1 < begins.size(); ++text) {
      for (std::int64_t head = from * per_group; head < to * per_group; ++head) {
        function(HeadScan<Real>{.shape = shape,
                                .input = input,
                                .begin = begins[text],
                                .end = begins[text + 1],
                                .head = head});
      }
    }
  });
}

}  // namespace

template <class Real>
void scan(const ScanShape& shape, const std::vector<std::int64_t>& begins,
          const ScanInput<Real>& input, Real* y) {
  for_each_head(shape, begins, input, [&](const HeadScan<Real>& head) { head.forward(y); });
}

template <class Real>
void scan_backward(const ScanShape& shape, const std::vector<std::int64_t>& begins,
                   const ScanInput<Real>& input, const Real* dy, Real* dxbc, Real* ddt) {
  std::fill_n(dxbc, begins.back() * shape.row(), Real(0));
  std::fill_n(ddt, begins.back() * shape.heads, Real(0));
  for_each_head(shape, begins, input,
                [&](const HeadScan<Real>& head) { head.backward(dy, dxbc, ddt); });
}

template <class Real>
void convolve(const ConvolutionShape& shape, const std::vector<std::int64_t>& begins,
              const Real* weight, const Real* bias, const Real* in, Real* out) {
  for (std::size_t text = 0; text + 1 < begins.size(); ++text) {
    for (std::int64_t t = begins[text]; t < begins[text + 1]; ++t) {
      Real* to = out + t * shape.channels;
      std::copy_n(bias, shape.channels, to);
      for (std::int64_t k = 0; k < shape.taps; ++k) {
        const std::int64_t from = t - shape.taps + 1 + k;
        if (from < begins[text]) continue;
        for (std::int64_t c = 0; c < shape.channels; ++c) {
          to[c] += weight[c * shape.taps + k] * in[from * shape.channels + c];
        }
      }
    }
  }
}

template <class Real>
void convolve_backward(const ConvolutionShape& shape, const std::vector<std::int64_t>& begins,
                       const Real* weight, const Real* dout, Real* din) {
  std::fill_n(din, begins.back() * shape.channels, Real(0));
  for (std::size_t text = 0; text + 1 < begins.size(); ++text) {
    for (std::int64_t t = begins[text]; t < begins[text + 1]; ++t) {
      for (std::int64_t k = 0; k < shape.taps; ++k) {
        const std::int64_t from = t - shape.taps + 1 + k;
        if (from < begins[text]) continue;
        for (std::int64_t c = 0; c < shape.channels; ++c) {
          din[from * shape.channels + c] +=
              weight[c * shape.taps + k] * dout[t * shape.channels + c];
        }
      }
    }
  }
}

#define INSTANTIATE(R)                                                                             \
  template void scan(const ScanShape&, const std::vector<std::int64_t>&, const ScanInput<R>&, R*); \
  template void scan_backward(const ScanShape&, const std::vector<std::int64_t>&,                  \
                              const ScanInput<R>&, const R*, R*, R*);                              \
  template void convolve(const ConvolutionShape&, const std::vector<std::int64_t>&, const R*,      \
                         const R*, const R*, R*);                                                  \
  template void convolve_backward(const ConvolutionShape&, const std::vector<std::int64_t>&,       \
                                  const R*, const R*, R*);
INSTANTIATE(float)
INSTANTIATE(double)

}  // namespace understudy::s5
