// What loops over rows are made of: a build for each width of vectors, values in and out of f32
// (f64 for double), and functions without branches, so that loops vectorise. For the kernels alone,
// which are compiled for it (src/CMakeLists.txt).
#pragma once

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "steps/s5_tune/torch/widest_vectors.hpp"

#define INLINED [[gnu::always_inline]] inline  // into each of the builds

namespace understudy::s5 {

namespace kernel {

using Half = c10::BFloat16;

INLINED float get(float value) { return value; }
INLINED double get(double value) { return value; }
INLINED float get(Half value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.x) << 16U);
}
INLINED void put(float& to, float value) { to = value; }
INLINED void put(double& to, double value) { to = value; }
INLINED void put(Half& to, float value) {  // to the nearest, ties to even; no NaN comes here
  const auto bits = std::bit_cast<std::uint32_t>(value);
  to.x = static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

// As many values as the widest vectors hold, for loops that the compiler would cut into narrower
// ones; it splits these itself where a build has none as wide.
constexpr std::size_t lanes_bytes = 64;
template <class Element>
struct LanesOf {
  using Type [[gnu::vector_size(lanes_bytes)]] = Element;
};
template <class Element>
using Lanes = typename LanesOf<Element>::Type;
template <class Element>
constexpr std::int64_t lanes_count = static_cast<std::int64_t>(lanes_bytes / sizeof(Element));

INLINED float times_power_of_two(float y, float whole) {
  const auto power = static_cast<std::uint32_t>(static_cast<std::int32_t>(whole) + 127) << 23U;
  return y * std::bit_cast<float>(power);
}
INLINED Lanes<float> times_power_of_two(Lanes<float> y, Lanes<float> whole) {
  const auto power = (__builtin_convertvector(whole, Lanes<std::int32_t>) + 127) << 23;
  return y * std::bit_cast<Lanes<float>>(power);
}

// Of f32, or of lanes of it. Cephes' expf: relative error below 2e-7.
template <class Floats>
INLINED Floats exponential(Floats x) {
  const Floats low = Floats{} - 87.0F;
  const Floats high = Floats{} + 88.0F;
  x = x < low ? low : x;
  x = x > high ? high : x;
  constexpr float to_whole = 12'582'912.0F;  // 1.5 * 2^23: what is added to it loses its fraction
  const Floats n = (x * 1.44269504F + to_whole) - to_whole;
  x = x - n * 0.693359375F + n * 2.12194440e-4F;
  Floats y = Floats{} + 1.9875691500e-4F;
  y = y * x + 1.3981999507e-3F;
  y = y * x + 8.3334519073e-3F;
  y = y * x + 4.1665795894e-2F;
  y = y * x + 1.6666665459e-1F;
  y = y * x + 5.0000001201e-1F;
  y = y * x * x + x + 1.0F;
  return times_power_of_two(y, n);
}
INLINED double exponential(double x) { return std::exp(x); }
INLINED Lanes<double> exponential(Lanes<double> x) {
  for (std::int64_t i = 0; i < lanes_count<double>; ++i) x[i] = std::exp(x[i]);
  return x;
}

template <class Sum>
INLINED Sum sigmoid(Sum x) {
  return 1.0F / (1.0F + exponential(-x));
}

template <class Sum>
INLINED Sum hyperbolic_tangent(Sum x) {
  return 2.0F * sigmoid(2.0F * x) - 1.0F;
}

// Calls function(first, last) for the rows, on ATen's threads where there is enough for them.
template <class Function>
void split_rows(std::int64_t rows, std::int64_t width, const Function& function) {
  constexpr std::int64_t values_per_thread_min = 16'384;
  const std::int64_t grain =
      std::max<std::int64_t>(1, values_per_thread_min / std::max<std::int64_t>(1, width));
  at::parallel_for(0, rows, grain, function);
}

}  // namespace kernel

}  // namespace understudy::s5
