#include "steps/s5_tune/torch/attention.hpp"

#include <algorithm>

#include "steps/s5_tune/torch/decoder_kernels.hpp"

namespace understudy::s5 {

namespace {

constexpr std::int64_t block_queries = 128;

// Rows [begin, begin + count) as kv_heads x (group * count) x head_width.
at::Tensor grouped(const at::Tensor& rows, std::int64_t begin, std::int64_t count,
                   const AttentionShape& shape) {
  const std::int64_t group = rows.size(1) / shape.head_width / shape.kv_heads;
  return rows.narrow(0, begin, count)
      .unflatten(1, {shape.kv_heads, group, shape.head_width})
      .permute({1, 2, 0, 3})
      .reshape({shape.kv_heads, group * count, shape.head_width})
      .contiguous();
}

// The way back.
void put_grouped(const at::Tensor& blocks, const at::Tensor& rows, std::int64_t begin,
                 const AttentionShape& shape) {
  const std::int64_t group = rows.size(1) / shape.head_width / shape.kv_heads;
  const std::int64_t count = blocks.size(1) / group;
  rows.narrow(0, begin, count)
      .unflatten(1, {shape.kv_heads, group, shape.head_width})
      .copy_(blocks.view({shape.kv_heads, group, count, shape.head_width}).permute({2, 0, 1, 3}));
}

struct Block {
  std::int64_t begin;  // of its text
  std::int64_t first;  // query in the text
  std::int64_t queries;
  std::int64_t keys;  // of the text, that they may see
};

ScoreRows score_rows(const Block& block, const AttentionShape& shape) {
  return {.rows = shape.heads * block.queries,
          .keys = block.keys,
          .queries = block.queries,
          .first = block.first,
          .window = shape.window,
          .scale = shape.scale,
          .cap = shape.cap};
}

template <class Function>
void for_each_block(std::int64_t begin, std::int64_t end, const Function& function) {
  const std::int64_t length = end - begin;
  for (std::int64_t first = 0; first < length; first += block_queries) {
    const std::int64_t queries = std::min(block_queries, length - first);
    function(Block{.begin = begin, .first = first, .queries = queries, .keys = first + queries});
  }
}

}  // namespace

AttentionPass attend_in_blocks(const AttentionInput& input, const std::vector<std::int64_t>& begins,
                               const AttentionShape& shape) {
  const std::int64_t tokens = input.query.size(0);
  const at::ScalarType type = input.query.scalar_type();
  AttentionPass pass{.out = at::empty({tokens, shape.heads * shape.head_width}, type),
                     .log_sums = at::empty({shape.heads, tokens}, sum_type(type))};
  for (std::size_t t = 0; t + 1 < begins.size(); ++t) {
    const std::int64_t length = begins[t + 1] - begins[t];
    const at::Tensor key = grouped(input.key, begins[t], length, shape);
    const at::Tensor value = grouped(input.value, begins[t], length, shape);
    for_each_block(begins[t], begins[t + 1], [&](const Block& block) {
      const at::Tensor query =
          grouped(input.query, block.begin + block.first, block.queries, shape);
      const at::Tensor scores = at::bmm(query, key.narrow(1, 0, block.keys).transpose(1, 2));
      with_value_of(type, [&]<class Value>(Value) {
        softmax_rows<Value>(score_rows(block, shape), scores.data_ptr<Value>(),
                            pass.log_sums.data_ptr<SumOf<Value>>() + block.begin, tokens);
      });
      put_grouped(at::bmm(scores, value.narrow(1, 0, block.keys)), pass.out,
                  block.begin + block.first, shape);
    });
  }
  return pass;
}

void attend_in_blocks_backward(const at::Tensor& dout, const AttentionInput& input,
                               const AttentionPass& pass, const std::vector<std::int64_t>& begins,
                               const AttentionShape& shape, const AttentionInput& gradient) {
  const std::int64_t tokens = input.query.size(0);
  const at::ScalarType type = input.query.scalar_type();
  at::Tensor deltas = at::empty({tokens, shape.heads}, sum_type(type));
  with_value_of(type, [&]<class Value>(Value) {
    dot_rows<Value>({.rows = tokens * shape.heads, .width = shape.head_width},
                    dout.const_data_ptr<Value>(), pass.out.const_data_ptr<Value>(),
                    deltas.data_ptr<SumOf<Value>>());
  });
  deltas = deltas.t().contiguous();
  for (std::size_t t = 0; t + 1 < begins.size(); ++t) {
    const std::int64_t length = begins[t + 1] - begins[t];
    const at::Tensor key = grouped(input.key, begins[t], length, shape);
    const at::Tensor value = grouped(input.value, begins[t], length, shape);
    const at::Tensor dkey = at::zeros(key.sizes(), sum_type(type));
    const at::Tensor dvalue = at::zeros_like(dkey);
    for_each_block(begins[t], begins[t + 1], [&](const Block& block) {
      const std::int64_t at = block.begin + block.first;
      const at::Tensor query = grouped(input.query, at, block.queries, shape);
      const at::Tensor dblock = grouped(dout, at, block.queries, shape);
      const at::Tensor keys = key.narrow(1, 0, block.keys);
      const at::Tensor scores = at::bmm(query, keys.transpose(1, 2));
      const at::Tensor dscores = at::bmm(dblock, value.narrow(1, 0, block.keys).transpose(1, 2));
      with_value_of(type, [&]<class Value>(Value) {
        softmax_rows_backward<Value>(score_rows(block, shape), scores.data_ptr<Value>(),
                                     dscores.data_ptr<Value>(),
                                     pass.log_sums.const_data_ptr<SumOf<Value>>() + block.begin,
                                     deltas.const_data_ptr<SumOf<Value>>() + block.begin, tokens);
      });
      put_grouped(at::bmm(dscores, keys), gradient.query, at, shape);
      dkey.narrow(1, 0, block.keys).add_(at::bmm(dscores.transpose(1, 2), query));
      dvalue.narrow(1, 0, block.keys).add_(at::bmm(scores.transpose(1, 2), dblock));
    });
    put_grouped(dkey, gradient.key, begins[t], shape);
    put_grouped(dvalue, gradient.value, begins[t], shape);
  }
}

}  // namespace understudy::s5
