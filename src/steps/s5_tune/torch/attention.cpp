#include "steps/s5_tune/torch/attention.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "steps/s5_tune/torch/products.hpp"
#include "steps/s5_tune/torch/softmax_kernels.hpp"

namespace understudy::s5 {

namespace {

constexpr std::int64_t block_queries = 128;

struct RowRange {
  std::int64_t begin;
  std::int64_t count;
};

struct Block {
  std::int64_t begin;  // of its text
  std::int64_t first;  // query in the text
  std::int64_t queries;
  std::int64_t keys;  // of the text, that they may see
  bool is_last;       // of its text: it sees all keys

  [[nodiscard]] RowRange own() const { return {.begin = begin + first, .count = queries}; }
  [[nodiscard]] RowRange all_keys() const { return {.begin = begin, .count = keys}; }
};

// Rows as key heads x the heads that share one x rows x head_width, where they lie.
MatrixView heads_of(const at::Tensor& rows, const RowRange& range, const AttentionShape& shape) {
  const std::int64_t group = rows.size(1) / shape.head_width / shape.kv_heads;
  const std::int64_t stride = rows.stride(0);
  const std::int64_t skipped = range.begin * stride * rows.element_size();
  return {.data = static_cast<std::byte*>(rows.data_ptr()) + skipped,
          .type = rows.scalar_type(),
          .dimensions = 4,
          .sizes = {shape.kv_heads, group, range.count, shape.head_width},
          .strides = {group * shape.head_width, shape.head_width, stride, 1}};
}

// Of heads that share nothing: key heads x rows x head_width.
MatrixView without_groups(const MatrixView& heads) {
  return {.data = heads.data,
          .type = heads.type,
          .dimensions = 3,
          .sizes = {heads.sizes[0], heads.sizes[2], heads.sizes[3]},
          .strides = {heads.strides[0], heads.strides[2], heads.strides[3]}};
}

// Rows put together as key heads x (group * count) x head_width.
at::Tensor grouped(const at::Tensor& rows, const RowRange& range, const AttentionShape& shape) {
  const std::int64_t heads = rows.size(1) / shape.head_width;
  at::Tensor together = at::empty(
      {shape.kv_heads, heads / shape.kv_heads * range.count, shape.head_width}, rows.options());
  const auto head_bytes = static_cast<std::size_t>(shape.head_width * rows.element_size());
  const auto row_bytes = static_cast<std::size_t>(rows.stride(0) * rows.element_size());
  const auto* from = static_cast<const std::byte*>(rows.const_data_ptr()) +
                     static_cast<std::size_t>(range.begin) * row_bytes;
  auto* to = static_cast<std::byte*>(together.data_ptr());
  for (std::int64_t head = 0; head < heads; ++head, from += head_bytes) {
    const std::byte* row = from;
    for (std::int64_t i = 0; i < range.count; ++i, row += row_bytes, to += head_bytes)
      std::memcpy(to, row, head_bytes);
  }
  return together;
}

// Of a block's queries and the keys that they may see.
struct Scores {
  Scores(const Block& block, const AttentionShape& shape, at::ScalarType type)
      : all(at::empty({shape.kv_heads, shape.heads / shape.kv_heads, block.queries, block.keys},
                      type)),
        by_head(MatrixView::of(all)),
        by_key_head(MatrixView::of(all.flatten(1, 2))) {}

  at::Tensor all;
  MatrixView by_head;      // key heads x the heads that share one x queries x keys
  MatrixView by_key_head;  // key heads x (heads that share one * queries) x keys
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

// Of each text; its last block first, which fills what the others add to.
template <class Function>
void for_each_block(const std::vector<std::int64_t>& begins, const Function& function) {
  for (std::size_t t = 0; t + 1 < begins.size(); ++t) {
    const std::int64_t length = begins[t + 1] - begins[t];
    if (length == 0) continue;
    const std::int64_t last = (length - 1) / block_queries * block_queries;
    for (std::int64_t first = last; first >= 0; first -= block_queries) {
      const std::int64_t queries = std::min(block_queries, length - first);
      function(Block{.begin = begins[t],
                     .first = first,
                     .queries = queries,
                     .keys = first + queries,
                     .is_last = first == last});
    }
  }
}

}  // namespace

AttentionPass attend_in_blocks(const AttentionInput& input, const std::vector<std::int64_t>& begins,
                               const AttentionShape& shape) {
  const std::int64_t tokens = input.query.size(0);
  const at::ScalarType type = input.query.scalar_type();
  AttentionPass pass{.out = at::empty({tokens, shape.heads * shape.head_width}, type),
                     .log_sums = at::empty({shape.heads, tokens}, sum_type(type))};
  for_each_block(begins, [&](const Block& block) {
    const MatrixView keys = heads_of(input.key, block.all_keys(), shape);
    const MatrixView values = heads_of(input.value, block.all_keys(), shape);
    const Scores scores(block, shape, type);
    multiply(heads_of(input.query, block.own(), shape), keys.transposed(), scores.by_head);
    with_value_of(type, [&]<class Value>(Value) {
      softmax_rows<Value>(score_rows(block, shape), scores.all.data_ptr<Value>(),
                          pass.log_sums.data_ptr<SumOf<Value>>() + block.begin, tokens);
    });
    multiply(scores.by_head, values, heads_of(pass.out, block.own(), shape));
  });
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
  const at::Tensor dkey = at::empty({tokens, shape.kv_heads * shape.head_width}, sum_type(type));
  const at::Tensor dvalue = at::empty_like(dkey);
  for_each_block(begins, [&](const Block& block) {
    const MatrixView keys = heads_of(input.key, block.all_keys(), shape);
    const MatrixView values = heads_of(input.value, block.all_keys(), shape);
    // Heads that share keys are rows of one product, whose sum over them is the keys' gradient.
    const at::Tensor query = grouped(input.query, block.own(), shape);
    const at::Tensor dblock = grouped(dout, block.own(), shape);
    const Scores scores(block, shape, type);
    const Scores dscores(block, shape, type);
    multiply(MatrixView::of(query), without_groups(keys).transposed(), scores.by_key_head);
    multiply(MatrixView::of(dblock), without_groups(values).transposed(), dscores.by_key_head);
    with_value_of(type, [&]<class Value>(Value) {
      softmax_rows_backward<Value>(score_rows(block, shape), scores.all.data_ptr<Value>(),
                                   dscores.all.data_ptr<Value>(),
                                   pass.log_sums.const_data_ptr<SumOf<Value>>() + block.begin,
                                   deltas.const_data_ptr<SumOf<Value>>() + block.begin, tokens);
    });
    multiply(dscores.by_head, keys, heads_of(gradient.query, block.own(), shape));
    const auto add = [&](const Scores& by, const at::Tensor& rows, const at::Tensor& to) {
      multiply(by.by_key_head.transposed(), MatrixView::of(rows),
               without_groups(heads_of(to, block.all_keys(), shape)), {.added = !block.is_last});
    };
    add(dscores, query, dkey);
    add(scores, dblock, dvalue);
  });
  gradient.key.copy_(dkey);
  gradient.value.copy_(dvalue);
}

}  // namespace understudy::s5
