#include "steps/s5_tune/torch/softmax_kernels.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "steps/s5_tune/torch/kernel_math.hpp"

namespace understudy::s5 {

namespace {

using namespace kernel;

// Its exponential does not change a sum that has a 1.
constexpr float hidden_score = -1e30F;

template <class Value>
INLINED Lanes<SumOf<Value>> load(const Value* from) {
  Lanes<SumOf<Value>> values;
  std::memcpy(&values, from, sizeof values);
  return values;
}
using HalfBits [[gnu::vector_size(lanes_bytes / 2)]] = std::uint16_t;
INLINED Lanes<float> load(const Half* from) {
  HalfBits bits;
  std::memcpy(&bits, from, sizeof bits);
  return std::bit_cast<Lanes<float>>(__builtin_convertvector(bits, Lanes<std::uint32_t>) << 16U);
}
template <class Value>
INLINED void store(Value* to, Lanes<SumOf<Value>> values) {
  std::memcpy(to, &values, sizeof values);
}
INLINED void store(Half* to, Lanes<float> values) {  // as put()
  const auto wide = std::bit_cast<Lanes<std::uint32_t>>(values);
  using Pairs [[gnu::vector_size(lanes_bytes)]] = std::uint16_t;
  const auto pairs = std::bit_cast<Pairs>(wide + 0x7FFFU + ((wide >> 16U) & 1U));
  const HalfBits bits = __builtin_shufflevector(pairs, pairs, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21,
                                                23, 25, 27, 29, 31);
  std::memcpy(to, &bits, sizeof bits);
}

// A row, lanes at a time; of the last there may be fewer than lanes have room for.
template <class Value>
struct Row {
  using Sum = SumOf<Value>;
  static constexpr std::int64_t count = lanes_count<Sum>;

  Value* values;
  std::int64_t end;

  INLINED Lanes<Sum> at(std::int64_t i, Sum behind_its_end = 0) const {
    if (i + count <= end) [[likely]]
      return load(values + i);
    Lanes<Sum> some = Lanes<Sum>{} + behind_its_end;
    for (std::int64_t k = 0; i + k < end; ++k) some[k] = get(values[i + k]);
    return some;
  }
  INLINED void put_at(std::int64_t i, Lanes<Sum> some) const {
    if (i + count <= end) [[likely]]
      return store(values + i, some);
    for (std::int64_t k = 0; i + k < end; ++k) put(values[i + k], some[k]);
  }
  // All but the lanes of [first, high).
  INLINED void clear_outside(std::int64_t first, std::int64_t high) const {
    for (std::int64_t i = 0; i < first; i += count) put_at(i, Lanes<Sum>{});
    for (std::int64_t i = first + (high - first + count - 1) / count * count; i < end; i += count)
      put_at(i, Lanes<Sum>{});
  }
};

// All lanes as one, by halves.
template <class Sum, class Join>
INLINED Sum joined(Lanes<Sum> lanes, const Join& join) {
  auto parts = std::bit_cast<std::array<Sum, static_cast<std::size_t>(lanes_count<Sum>)>>(lanes);
  for (std::size_t half = parts.size() / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) parts[i] = join(parts[i], parts[i + half]);
  }
  return parts[0];
}
template <class Sum>
INLINED Sum sum_of(Lanes<Sum> lanes) {
  return joined<Sum>(lanes, std::plus());
}
template <class Sum>
INLINED Sum largest_of(Lanes<Sum> lanes) {
  return joined<Sum>(lanes, [](Sum a, Sum b) { return std::max(a, b); });
}

// The keys [low, high) that a row's query sees.
template <class Sum>
struct Seen {
  using Bits = std::conditional_t<std::is_same_v<Sum, float>, std::int32_t, std::int64_t>;

  INLINED Seen(const ScoreRows& shape, std::int64_t row, std::int64_t stride) {
    const std::int64_t query = shape.first + row % shape.queries;
    low = shape.window > 0 ? std::max<std::int64_t>(0, query + 1 - shape.window) : 0;
    high = query + 1;
    first = low / lanes_count<Sum> * lanes_count<Sum>;
    at = row / shape.queries * stride + query;
    for (std::int64_t i = 0; i < lanes_count<Sum>; ++i) own[i] = static_cast<Bits>(i);
  }
  // Of the lanes at i, those that are seen; the others are as in `hidden`. By their signs and not
  // by a comparison, which GCC 15 takes apart into single values.
  INLINED Lanes<Sum> only(std::int64_t i, Lanes<Sum> lanes, Lanes<Sum> hidden) const {
    if (i >= low && i + lanes_count<Sum> <= high) [[likely]]
      return lanes;
    const Lanes<Bits> index = own + static_cast<Bits>(i);
    const Lanes<Bits> shown = (index - static_cast<Bits>(high)) & ~(index - static_cast<Bits>(low));
    const Lanes<Bits> mask = shown >> static_cast<Bits>(8 * sizeof(Bits) - 1);
    return std::bit_cast<Lanes<Sum>>((std::bit_cast<Lanes<Bits>>(lanes) & mask) |
                                     (std::bit_cast<Lanes<Bits>>(hidden) & ~mask));
  }

  std::int64_t low, high;
  std::int64_t first;  // lanes begin here
  std::int64_t at;     // where the row's sums lie
  Lanes<Bits> own;     // 0, 1, 2, ...
};

template <class Value>
WIDEST_VECTORS void softmax_range(std::int64_t begin, std::int64_t end, const ScoreRows& shape,
                                  Value* scores, SumOf<Value>* log_sums, std::int64_t stride) {
  using Sum = SumOf<Value>;
  constexpr std::int64_t count = lanes_count<Sum>;
  const Sum scale = static_cast<Sum>(shape.scale);
  const Sum cap = static_cast<Sum>(shape.cap);
  std::vector<Sum> of_row(static_cast<std::size_t>(shape.keys + count));
  Sum* kept = of_row.data();
  for (std::int64_t r = begin; r < end; ++r) {
    const Seen<Sum> seen(shape, r, stride);
    const Row<Value> row{.values = scores + r * shape.keys, .end = shape.keys};
    const Lanes<Sum> hidden = Lanes<Sum>{} + hidden_score;
    Lanes<Sum> tops = hidden;
    for (std::int64_t i = seen.first; i < seen.high; i += count) {
      Lanes<Sum> score = row.at(i) * scale;
      if (cap > 0) score = cap * hyperbolic_tangent(score / cap);
      score = seen.only(i, score, hidden);
      tops = score > tops ? score : tops;
      store(kept + i, score);
    }
    const Sum top = largest_of<Sum>(tops);
    Lanes<Sum> sums = {};
    for (std::int64_t i = seen.first; i < seen.high; i += count) {
      const Lanes<Sum> e = seen.only(i, exponential(load(kept + i) - top), Lanes<Sum>{});
      sums += e;
      store(kept + i, e);
    }
    const Sum sum = sum_of<Sum>(sums);
    log_sums[seen.at] = top + std::log(sum);
    const Sum share = Sum(1) / sum;
    for (std::int64_t i = seen.first; i < seen.high; i += count)
      row.put_at(i, load(kept + i) * share);
    row.clear_outside(seen.first, seen.high);
  }
}

template <class Value>
WIDEST_VECTORS void softmax_backward_range(std::int64_t begin, std::int64_t end,
                                           const ScoreRows& shape, Value* scores,
                                           Value* dprobabilities, const SumOf<Value>* log_sums,
                                           const SumOf<Value>* deltas, std::int64_t stride) {
  using Sum = SumOf<Value>;
  const Sum scale = static_cast<Sum>(shape.scale);
  const Sum cap = static_cast<Sum>(shape.cap);
  for (std::int64_t r = begin; r < end; ++r) {
    const Seen<Sum> seen(shape, r, stride);
    const Row<Value> row{.values = scores + r * shape.keys, .end = shape.keys};
    const Row<Value> drow{.values = dprobabilities + r * shape.keys, .end = shape.keys};
    const Sum log_sum = log_sums[seen.at];
    const Sum delta = deltas[seen.at];
    for (std::int64_t i = seen.first; i < seen.high; i += lanes_count<Sum>) {
      Lanes<Sum> score = row.at(i) * scale;
      Lanes<Sum> slope = Lanes<Sum>{} + scale;
      if (cap > 0) {
        const Lanes<Sum> t = hyperbolic_tangent(score / cap);
        score = cap * t;
        slope = scale * (1.0F - t * t);
      }
      const Lanes<Sum> p = seen.only(i, exponential(score - log_sum), Lanes<Sum>{});
      row.put_at(i, p);
      drow.put_at(i, p * (drow.at(i) - delta) * slope);
    }
    row.clear_outside(seen.first, seen.high);
    drow.clear_outside(seen.first, seen.high);
  }
}

template <class Value>
WIDEST_VECTORS void cross_entropy_range(std::int64_t begin, std::int64_t end, std::int64_t width,
                                        Value* logits, const std::int64_t* targets,
                                        const float* weights, SumOf<Value> scale,
                                        const LossRows& losses) {
  using Sum = SumOf<Value>;
  constexpr std::int64_t count = lanes_count<Sum>;
  std::vector<Sum> exponentials(static_cast<std::size_t>(width + count));
  Sum* kept = exponentials.data();
  for (std::int64_t r = begin; r < end; ++r) {
    const Row<Value> row{.values = logits + r * width, .end = width};
    Lanes<Sum> tops = Lanes<Sum>{} + hidden_score;
    for (std::int64_t i = 0; i < width; i += count) {
      const Lanes<Sum> logit = row.at(i, hidden_score);
      tops = logit > tops ? logit : tops;
    }
    const Sum top = largest_of<Sum>(tops);
    const Sum target = get(row.values[targets[r]]);
    // The first of the likeliest, as a greedy server picks it: bf16 makes ties common.
    std::int64_t as_likely_before = 0;
    if (target >= top) {
#pragma omp simd reduction(+ : as_likely_before)
      for (std::int64_t i = 0; i < targets[r]; ++i)
        as_likely_before += get(row.values[i]) >= target;
    }
    losses.right[r] = target >= top && as_likely_before == 0;
    Lanes<Sum> sums = {};
    for (std::int64_t i = 0; i < width; i += count) {
      const Lanes<Sum> e = exponential((row.at(i, hidden_score) - top) * scale);
      sums += e;
      store(kept + i, e);
    }
    const Sum sum = sum_of<Sum>(sums);
    const Sum log_sum = top * scale + std::log(sum);
    losses.nats[r] = static_cast<double>(log_sum - target * scale);
    const Sum weight = static_cast<Sum>(weights[r]) * scale;
    const Sum share = weight / sum;
    for (std::int64_t i = 0; i < width; i += count) row.put_at(i, load(kept + i) * share);
    put(row.values[targets[r]], (exponential(target * scale - log_sum) - Sum(1)) * weight);
  }
}

}  // namespace

template <class Value>
void softmax_rows(const ScoreRows& shape, Value* scores, SumOf<Value>* log_sums,
                  std::int64_t stride) {
  split_rows(shape.rows, shape.keys, [&](std::int64_t b, std::int64_t e) {
    softmax_range(b, e, shape, scores, log_sums, stride);
  });
}

template <class Value>
void softmax_rows_backward(const ScoreRows& shape, Value* scores, Value* dprobabilities,
                           const SumOf<Value>* log_sums, const SumOf<Value>* deltas,
                           std::int64_t stride) {
  split_rows(shape.rows, shape.keys, [&](std::int64_t b, std::int64_t e) {
    softmax_backward_range(b, e, shape, scores, dprobabilities, log_sums, deltas, stride);
  });
}

template <class Value>
void cross_entropy_rows(const RowShape& shape, Value* logits, const std::int64_t* targets,
                        const float* weights, double scale, const LossRows& losses) {
  split_rows(shape.rows, shape.width, [&](std::int64_t b, std::int64_t e) {
    cross_entropy_range(b, e, shape.width, logits, targets, weights,
                        static_cast<SumOf<Value>>(scale), losses);
  });
}

#define INSTANTIATE(V)                                                                             \
  template void softmax_rows(const ScoreRows&, V*, SumOf<V>*, std::int64_t);                       \
  template void softmax_rows_backward(const ScoreRows&, V*, V*, const SumOf<V>*, const SumOf<V>*,  \
                                      std::int64_t);                                               \
  template void cross_entropy_rows(const RowShape&, V*, const std::int64_t*, const float*, double, \
                                   const LossRows&);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(Half)

}  // namespace understudy::s5
