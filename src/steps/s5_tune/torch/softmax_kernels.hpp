// Softmax over rows, forward and backward: of attention's scores, and of logits with their loss.
// Value, sums and threads as in decoder_kernels.
#pragma once

#include <cstdint>

#include "steps/s5_tune/torch/decoder_kernels.hpp"

namespace understudy::s5 {

// Scores of consecutive queries of one text, for several heads: row r belongs to query
// first + r % queries, and sees keys [query + 1 - window, query]; window 0: all before it.
struct ScoreRows {
  std::int64_t rows = 0;
  std::int64_t keys = 0;  // columns
  std::int64_t queries = 0;
  std::int64_t first = 0;
  std::int64_t window = 0;
  double scale = 1;
  double cap = 0;  // scores s become cap * tanh(s / cap) first; 0: they stay
};
// Scores become probabilities; log_sums[r / queries * stride + first + r % queries] keeps the rest.
template <class Value>
void softmax_rows(const ScoreRows& shape, Value* scores, SumOf<Value>* log_sums,
                  std::int64_t stride);
// Scores become probabilities again, `dprobabilities` become the scores' gradients.
template <class Value>
void softmax_rows_backward(const ScoreRows& shape, Value* scores, Value* dprobabilities,
                           const SumOf<Value>* log_sums, const SumOf<Value>* deltas,
                           std::int64_t stride);
// Logits become their gradient (softmax - target) * weight * scale; logits count times `scale`.
struct LossRows {
  double* nats = nullptr;
  bool* right = nullptr;
};
template <class Value>
void cross_entropy_rows(const RowShape& shape, Value* logits, const std::int64_t* targets,
                        const float* weights, double scale, const LossRows& losses);

}  // namespace understudy::s5
