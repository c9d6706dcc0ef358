// The parts of a decoder that are no matrix products, forward and backward, each in one pass over
// its rows. Value: float, double (to check gradients) or c10::BFloat16; sums and exponentials are
// in f32 (f64 for double). Rows are split over ATen's threads, each row's sum in a fixed order, so
// that results do not depend on the schedule.
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <type_traits>

#include "steps/s5_tune/families/decoder_plan.hpp"

namespace understudy::s5 {

template <class Value>
using SumOf = std::conditional_t<std::is_same_v<Value, double>, double, float>;

struct RowShape {
  std::int64_t rows = 0;
  std::int64_t width = 0;
};

// out = x / rms(x) * gain; `scale` keeps 1 / rms(x) of each row.
template <class Value>
void norm_rows(const RowShape& shape, const Value* x, const SumOf<Value>* gain, double epsilon,
               Value* out, SumOf<Value>* scale);
// dx = the gradient of x, plus `carried` where it is given.
template <class Value>
void norm_rows_backward(const RowShape& shape, const Value* dout, const Value* x,
                        const SumOf<Value>* gain, const SumOf<Value>* scale, const Value* carried,
                        Value* dx);

// Turns the heads of every row in place. `turns` holds (cos, sin) by position and pair.
template <class Value>
struct HeadTurn {
  std::int64_t rows = 0;
  std::int64_t stride = 0;  // values between rows
  std::int64_t heads = 0;
  std::int64_t head_width = 0;
  std::int64_t rope_width = 0;
  RopePairs pairs = RopePairs::adjacent;
  const std::int32_t* positions = nullptr;  // of each row
  const SumOf<Value>* turns = nullptr;
  SumOf<Value> direction = 1;  // -1: backward
};
template <class Value>
void turn_heads(const HeadTurn<Value>& by, Value* x);

// out = gate's activation * up, or without it where up is null. Rows of gate and up lie `stride`
// apart, rows of out side by side.
template <class Value>
struct GateRows {
  RowShape shape = {};
  std::int64_t stride = 0;
  Gate gate = Gate::silu;
};
template <class Value>
void gate_rows(const GateRows<Value>& rows, const Value* gate, const Value* up, Value* out);
// The gradients of both, and out once more: who did not keep it needs it now, too.
template <class Value>
struct GateRowsBack {
  Value* gate = nullptr;
  Value* up = nullptr;
  Value* out = nullptr;
};
template <class Value>
void gate_rows_backward(const GateRows<Value>& rows, const Value* gate, const Value* up,
                        const Value* dout, const GateRowsBack<Value>& back);

// out[r] = the sum of a[r] * b[r], of contiguous rows.
template <class Value>
void dot_rows(const RowShape& shape, const Value* a, const Value* b, SumOf<Value>* out);

// Values v become cap * tanh(v / cap); slopes[i] is what a gradient is multiplied by on the way
// back.
template <class Value>
void cap_values(std::int64_t count, double cap, Value* values, Value* slopes);

// out = x / keep where a hash of (seed, index) says so, else 0.
template <class Value>
void drop_values(std::int64_t count, std::uint64_t seed, double keep, const Value* x, Value* out);

template <class Value>
void convert_values(std::int64_t count, const float* from, Value* to);

}  // namespace understudy::s5
