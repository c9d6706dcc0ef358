#include "steps/s5_tune/torch/decoder_kernels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "steps/s5_tune/torch/kernel_math.hpp"

namespace understudy::s5 {

namespace {

using namespace kernel;

template <class Sum>
struct Activation {
  Sum value;
  Sum slope;
};

template <class Sum>
INLINED Activation<Sum> silu(Sum x) {
  const Sum s = sigmoid(x);
  return {.value = x * s, .slope = s * (Sum(1) + x * (Sum(1) - s))};
}

template <class Sum>
INLINED Activation<Sum> gelu(Sum x) {
  constexpr Sum root = Sum(0.79788456080286535588);
  constexpr Sum cubic = Sum(0.044715);
  const Sum inner = root * x * (Sum(1) + cubic * x * x);
  const Sum tanh = Sum(2) * sigmoid(Sum(2) * inner) - Sum(1);
  const Sum dinner = root * (Sum(1) + Sum(3) * cubic * x * x);
  return {.value = Sum(0.5) * x * (Sum(1) + tanh),
          .slope = Sum(0.5) * (Sum(1) + tanh) + Sum(0.5) * x * (Sum(1) - tanh * tanh) * dinner};
}

template <class Sum>
INLINED Activation<Sum> relu_squared(Sum x) {
  const Sum kept = std::max(x, Sum(0));
  return {.value = kept * kept, .slope = Sum(2) * kept};
}

template <class Value>
WIDEST_VECTORS void norm_range(std::int64_t begin, std::int64_t end, std::int64_t width,
                               const Value* x, const SumOf<Value>* gain, SumOf<Value> epsilon,
                               Value* out, SumOf<Value>* scale) {
  using Sum = SumOf<Value>;
  for (std::int64_t r = begin; r < end; ++r) {
    const Value* row = x + r * width;
    Sum squares = 0;
#pragma omp simd reduction(+ : squares)
    for (std::int64_t i = 0; i < width; ++i) squares += get(row[i]) * get(row[i]);
    const Sum s = Sum(1) / std::sqrt(squares / static_cast<Sum>(width) + epsilon);
    scale[r] = s;
    Value* to = out + r * width;
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) put(to[i], get(row[i]) * s * gain[i]);
  }
}

template <class Value>
WIDEST_VECTORS void norm_backward_range(std::int64_t begin, std::int64_t end, std::int64_t width,
                                        const Value* dout, const Value* x, const SumOf<Value>* gain,
                                        const SumOf<Value>* scale, const Value* carried,
                                        Value* dx) {
  using Sum = SumOf<Value>;
  for (std::int64_t r = begin; r < end; ++r) {
    const Value* row = x + r * width;
    const Value* dy = dout + r * width;
    Value* to = dx + r * width;
    const Sum s = scale[r];
    Sum dot = 0;
#pragma omp simd reduction(+ : dot)
    for (std::int64_t i = 0; i < width; ++i) dot += get(dy[i]) * gain[i] * get(row[i]);
    const Sum pull = dot * s * s * s / static_cast<Sum>(width);
    if (carried == nullptr) {
#pragma omp simd
      for (std::int64_t i = 0; i < width; ++i) {
        put(to[i], get(dy[i]) * gain[i] * s - get(row[i]) * pull);
      }
    } else {
      const Value* more = carried + r * width;
#pragma omp simd
      for (std::int64_t i = 0; i < width; ++i) {
        put(to[i], get(more[i]) + get(dy[i]) * gain[i] * s - get(row[i]) * pull);
      }
    }
  }
}

template <class Value>
struct Turned {
  SumOf<Value> a, b;
};
template <class Value>
INLINED Turned<Value> turned(SumOf<Value> a, SumOf<Value> b, const SumOf<Value>* turn,
                             SumOf<Value> direction) {
  const SumOf<Value> sine = turn[1] * direction;
  return {.a = a * turn[0] - b * sine, .b = a * sine + b * turn[0]};
}

// Pairs that lie side by side, two in one word: its halves part and join without a shuffle.
INLINED void turn_adjacent(std::int64_t pairs, const float* turns, float direction, Half* head) {
#pragma omp simd
  for (std::int64_t i = 0; i < pairs; ++i) {
    std::uint32_t both = 0;
    std::memcpy(&both, head + 2 * i, sizeof both);
    const auto now =
        turned<Half>(std::bit_cast<float>(both << 16U), std::bit_cast<float>(both & 0xFFFF0000U),
                     turns + 2 * i, direction);
    Half a, b;
    put(a, now.a);
    put(b, now.b);
    both = a.x | static_cast<std::uint32_t>(b.x) << 16U;
    std::memcpy(head + 2 * i, &both, sizeof both);
  }
}
template <class Value>
INLINED void turn_adjacent(std::int64_t pairs, const Value* turns, Value direction, Value* head) {
  for (std::int64_t i = 0; i < pairs; ++i) {
    const auto now = turned<Value>(head[2 * i], head[2 * i + 1], turns + 2 * i, direction);
    head[2 * i] = now.a;
    head[2 * i + 1] = now.b;
  }
}

template <class Value>
WIDEST_VECTORS void turn_range(std::int64_t begin, std::int64_t end, const HeadTurn<Value>& by,
                               Value* x) {
  const std::int64_t half = by.rope_width / 2;
  for (std::int64_t r = begin; r < end; ++r) {
    const SumOf<Value>* turns = by.turns + by.positions[r] * by.rope_width;
    for (std::int64_t h = 0; h < by.heads; ++h) {
      Value* head = x + r * by.stride + h * by.head_width;
      if (by.pairs == RopePairs::adjacent) {
        turn_adjacent(half, turns, by.direction, head);
        continue;
      }
#pragma omp simd
      for (std::int64_t i = 0; i < half; ++i) {
        const auto now =
            turned<Value>(get(head[i]), get(head[i + half]), turns + 2 * i, by.direction);
        put(head[i], now.a);
        put(head[i + half], now.b);
      }
    }
  }
}

template <Gate gate, class Sum>
INLINED Activation<Sum> activation(Sum x) {
  if constexpr (gate == Gate::silu) return silu(x);
  if constexpr (gate == Gate::gelu) return gelu(x);
  return relu_squared(x);
}

template <Gate gate, class Value>
WIDEST_VECTORS void gate_range(std::int64_t begin, std::int64_t end, const GateRows<Value>& rows,
                               const Value* gates, const Value* up, Value* out) {
  for (std::int64_t r = begin; r < end; ++r) {
    const Value* g = gates + r * rows.stride;
    Value* to = out + r * rows.shape.width;
    if (up == nullptr) {
#pragma omp simd
      for (std::int64_t i = 0; i < rows.shape.width; ++i)
        put(to[i], activation<gate>(get(g[i])).value);
      continue;
    }
    const Value* u = up + r * rows.stride;
#pragma omp simd
    for (std::int64_t i = 0; i < rows.shape.width; ++i) {
      put(to[i], activation<gate>(get(g[i])).value * get(u[i]));
    }
  }
}

template <Gate gate, class Value>
WIDEST_VECTORS void gate_backward_range(std::int64_t begin, std::int64_t end,
                                        const GateRows<Value>& rows, const Value* gates,
                                        const Value* up, const Value* dout,
                                        const GateRowsBack<Value>& back) {
  for (std::int64_t r = begin; r < end; ++r) {
    const Value* g = gates + r * rows.stride;
    const Value* dy = dout + r * rows.shape.width;
    Value* dg = back.gate + r * rows.stride;
    Value* out = back.out + r * rows.shape.width;
    if (up == nullptr) {
#pragma omp simd
      for (std::int64_t i = 0; i < rows.shape.width; ++i) {
        const auto a = activation<gate>(get(g[i]));
        put(dg[i], get(dy[i]) * a.slope);
        put(out[i], a.value);
      }
      continue;
    }
    const Value* u = up + r * rows.stride;
    Value* du = back.up + r * rows.stride;
#pragma omp simd
    for (std::int64_t i = 0; i < rows.shape.width; ++i) {
      const auto a = activation<gate>(get(g[i]));
      put(dg[i], get(dy[i]) * get(u[i]) * a.slope);
      put(du[i], get(dy[i]) * a.value);
      put(out[i], a.value * get(u[i]));
    }
  }
}

// Calls the function with the gate as a constant, so that its loop has one activation.
template <class Function>
void with_gate(Gate gate, const Function& function) {
  switch (gate) {
    case Gate::silu: return function.template operator()<Gate::silu>();
    case Gate::gelu: return function.template operator()<Gate::gelu>();
    case Gate::relu_squared: return function.template operator()<Gate::relu_squared>();
  }
}

template <class Value>
WIDEST_VECTORS void cap_range(std::int64_t begin, std::int64_t end, SumOf<Value> cap, Value* values,
                              Value* slopes) {
#pragma omp simd
  for (std::int64_t i = begin; i < end; ++i) {
    const SumOf<Value> t = hyperbolic_tangent(get(values[i]) / cap);
    put(values[i], cap * t);
    put(slopes[i], SumOf<Value>(1) - t * t);
  }
}

template <class Value>
WIDEST_VECTORS void dot_range(std::int64_t begin, std::int64_t end, std::int64_t width,
                              const Value* a, const Value* b, SumOf<Value>* out) {
  for (std::int64_t r = begin; r < end; ++r) {
    SumOf<Value> sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < width; ++i) sum += get(a[r * width + i]) * get(b[r * width + i]);
    out[r] = sum;
  }
}

template <class Value>
WIDEST_VECTORS void drop_range(std::int64_t begin, std::int64_t end, std::uint64_t seed,
                               double keep, const Value* x, Value* out) {
  const auto limit = static_cast<std::uint32_t>(keep * 4294967295.0);
  const auto factor = static_cast<SumOf<Value>>(1 / keep);
  for (std::int64_t i = begin; i < end; ++i) {
    std::uint64_t mixed = seed + static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15ULL;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
    const bool kept = static_cast<std::uint32_t>(mixed >> 32U) <= limit;
    put(out[i], kept ? get(x[i]) * factor : SumOf<Value>(0));
  }
}

template <class Value>
WIDEST_VECTORS void convert_range(std::int64_t begin, std::int64_t end, const float* from,
                                  Value* to) {
#pragma omp simd
  for (std::int64_t i = begin; i < end; ++i) put(to[i], static_cast<SumOf<Value>>(from[i]));
}

}  // namespace

template <class Value>
void norm_rows(const RowShape& shape, const Value* x, const SumOf<Value>* gain, double epsilon,
               Value* out, SumOf<Value>* scale) {
  split_rows(shape.rows, shape.width, [&](std::int64_t b, std::int64_t e) {
    norm_range(b, e, shape.width, x, gain, static_cast<SumOf<Value>>(epsilon), out, scale);
  });
}

template <class Value>
void norm_rows_backward(const RowShape& shape, const Value* dout, const Value* x,
                        const SumOf<Value>* gain, const SumOf<Value>* scale, const Value* carried,
                        Value* dx) {
  split_rows(shape.rows, shape.width, [&](std::int64_t b, std::int64_t e) {
    norm_backward_range(b, e, shape.width, dout, x, gain, scale, carried, dx);
  });
}

template <class Value>
void turn_heads(const HeadTurn<Value>& by, Value* x) {
  split_rows(by.rows, by.heads * by.head_width,
             [&](std::int64_t b, std::int64_t e) { turn_range(b, e, by, x); });
}

template <class Value>
void gate_rows(const GateRows<Value>& rows, const Value* gate, const Value* up, Value* out) {
  split_rows(rows.shape.rows, rows.shape.width, [&](std::int64_t b, std::int64_t e) {
    with_gate(rows.gate, [&]<Gate kind>() { gate_range<kind>(b, e, rows, gate, up, out); });
  });
}

template <class Value>
void gate_rows_backward(const GateRows<Value>& rows, const Value* gate, const Value* up,
                        const Value* dout, const GateRowsBack<Value>& back) {
  split_rows(rows.shape.rows, rows.shape.width, [&](std::int64_t b, std::int64_t e) {
    with_gate(rows.gate,
              [&]<Gate kind>() { gate_backward_range<kind>(b, e, rows, gate, up, dout, back); });
  });
}

template <class Value>
void dot_rows(const RowShape& shape, const Value* a, const Value* b, SumOf<Value>* out) {
  split_rows(shape.rows, shape.width, [&](std::int64_t begin, std::int64_t end) {
    dot_range(begin, end, shape.width, a, b, out);
  });
}

template <class Value>
void cap_values(std::int64_t count, double cap, Value* values, Value* slopes) {
  split_rows(count, 1, [&](std::int64_t b, std::int64_t e) {
    cap_range(b, e, static_cast<SumOf<Value>>(cap), values, slopes);
  });
}

template <class Value>
void drop_values(std::int64_t count, std::uint64_t seed, double keep, const Value* x, Value* out) {
  split_rows(count, 1,
             [&](std::int64_t b, std::int64_t e) { drop_range(b, e, seed, keep, x, out); });
}

template <class Value>
void convert_values(std::int64_t count, const float* from, Value* to) {
  convert_range(0, count, from, to);
}

#define INSTANTIATE(V)                                                                        \
  template void norm_rows(const RowShape&, const V*, const SumOf<V>*, double, V*, SumOf<V>*); \
  template void norm_rows_backward(const RowShape&, const V*, const V*, const SumOf<V>*,      \
                                   const SumOf<V>*, const V*, V*);                            \
  template void turn_heads(const HeadTurn<V>&, V*);                                           \
  template void gate_rows(const GateRows<V>&, const V*, const V*, V*);                        \
  template void gate_rows_backward(const GateRows<V>&, const V*, const V*, const V*,          \
                                   const GateRowsBack<V>&);                                   \
  template void dot_rows(const RowShape&, const V*, const V*, SumOf<V>*);                     \
  template void cap_values(std::int64_t, double, V*, V*);                                     \
  template void drop_values(std::int64_t, std::uint64_t, double, const V*, V*);               \
  template void convert_values(std::int64_t, const float*, V*);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(Half)

}  // namespace understudy::s5
