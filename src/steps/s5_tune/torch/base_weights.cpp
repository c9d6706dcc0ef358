#include "steps/s5_tune/torch/base_weights.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "steps/s5_tune/torch/block_expansion.hpp"
#include "steps/s5_tune/torch/decoder_kernels.hpp"
#include "steps/s5_tune/torch/products.hpp"

namespace understudy::s5 {

namespace {

constexpr std::int64_t values_at_once = 1 << 16;        // 256 KiB of f32: stays in the second cache
constexpr std::int64_t values_at_once_there = 1 << 24;  // off the CPU: bounds the temporaries

bool lies_in(at::ScalarType type, lm::StoredAs stored) {
  return (type == at::kFloat && stored == lm::StoredAs::f32) ||
         (type == at::kBFloat16 && stored == lm::StoredAs::bf16);
}

bool can_be_packed(at::ScalarType type, lm::StoredAs stored) {
  return type == at::kBFloat16 && lies_in(type, stored) && multiplies_directly(type);
}

template <class Value>
void expand_into(const lm::StoredTensor& tensor, const lm::RowRange& range, Value* to) {
  const std::int64_t rows_at_once = std::max<std::int64_t>(1, values_at_once / tensor.columns);
  std::vector<float> values(
      static_cast<std::size_t>(std::min(rows_at_once, range.count) * tensor.columns));
  for (std::int64_t done = 0; done < range.count; done += rows_at_once) {
    const std::int64_t count = std::min(rows_at_once, range.count - done);
    lm::expand_rows(tensor, {.first = range.first + done, .count = count}, values.data());
    convert_values(count * tensor.columns, values.data(), to + done * tensor.columns);
  }
}

}  // namespace

BaseWeights BaseWeights::sibling() const {
  BaseWeights other(file_, computing_, trained_);
  other.packed_ = packed_;
  other.resident_ = resident_;
  return other;
}

const PackedMatrices::Matrix* BaseWeights::packed(const lm::StoredTensor& tensor) {
  if (!packed_ || resident_ || trained_ != nullptr || !can_be_packed(type(), tensor.type)) {
    return nullptr;
  }
  return &packed_->pack(tensor.name, matrix(tensor));
}

at::Tensor BaseWeights::gradient(const std::string& name) const {
  const FullWeights::Views* views = trained_ == nullptr ? nullptr : trained_->find(name);
  return views == nullptr ? at::Tensor() : views->gradient;
}

bool BaseWeights::lies_there(const lm::StoredTensor& tensor) const {
  if (trained_ != nullptr && trained_->find(tensor.name) != nullptr) return true;
  return resident_ ? !is_in_blocks(tensor.type) : lies_in(type(), tensor.type);
}

at::Tensor BaseWeights::buffer_for(const lm::StoredTensor& tensor) {
  const std::int64_t values = tensor.rows * tensor.columns;
  if (!buffer_.defined() || buffer_.numel() < values) {
    buffer_ = at::empty({values}, computing_.options());
  }
  return buffer_.narrow(0, 0, values).view({tensor.rows, tensor.columns});
}

at::Tensor BaseWeights::expanded_there(const lm::StoredTensor& tensor) {
  const at::Tensor& kept = resident_->of(tensor);
  if (!is_in_blocks(tensor.type)) return kept;
  at::Tensor out = buffer_for(tensor);
  const std::int64_t rows_at_once =
      std::max<std::int64_t>(1, values_at_once_there / tensor.columns);
  for (std::int64_t first = 0; first < tensor.rows; first += rows_at_once) {
    const std::int64_t count = std::min(rows_at_once, tensor.rows - first);
    out.narrow(0, first, count).copy_(expand_blocks(tensor.type, kept.narrow(0, first, count)));
  }
  return out;
}

at::Tensor BaseWeights::matrix(const lm::StoredTensor& tensor) {
  if (trained_ != nullptr) {
    if (const FullWeights::Views* views = trained_->find(tensor.name)) return views->in(type());
  }
  if (resident_) return expanded_there(tensor);
  if (lies_in(type(), tensor.type)) {
    // libtorch takes no const memory; nobody writes to a base weight.
    return at::from_blob(const_cast<std::byte*>(tensor.bytes.data()), {tensor.rows, tensor.columns},
                         at::TensorOptions(type()));
  }
  at::Tensor out = buffer_for(tensor);
  with_value_of(type(), [&]<class Value>(Value) {
    Value* to = out.data_ptr<Value>();
    const std::int64_t grain = std::max<std::int64_t>(1, values_at_once / tensor.columns);
    at::parallel_for(0, tensor.rows, grain, [&](std::int64_t begin, std::int64_t end) {
      expand_into(tensor, {.first = begin, .count = end - begin}, to + begin * tensor.columns);
    });
  });
  return out;
}

at::Tensor BaseWeights::vector(const std::string& name) const {
  const lm::StoredTensor* tensor = file_.find(name);
  if (tensor == nullptr) return {};
  if (trained_ != nullptr) {
    if (const FullWeights::Views* views = trained_->find(name)) {
      return views->value.view({views->value.numel()});
    }
  }
  std::vector<float> values = lm::expand(*tensor);
  const at::Tensor view = at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())},
                                        at::TensorOptions(at::kFloat));
  return view.to(computing_.sums(), /*non_blocking=*/false, /*copy=*/true);
}

at::Tensor BaseWeights::rows(const lm::StoredTensor& table, const at::Tensor& tokens) const {
  if (trained_ != nullptr) {
    if (const FullWeights::Views* views = trained_->find(table.name)) {
      return views->in(type()).index_select(0, tokens);
    }
  }
  if (resident_) {
    const at::Tensor some = resident_->of(table).index_select(0, tokens);
    return is_in_blocks(table.type) ? expand_blocks(table.type, some).to(type()) : some;
  }
  at::Tensor out = at::empty({tokens.numel(), table.columns}, type());
  const std::int64_t* ids = tokens.const_data_ptr<std::int64_t>();
  with_value_of(type(), [&]<class Value>(Value) {
    Value* to = out.data_ptr<Value>();
    for (std::int64_t i = 0; i < tokens.numel(); ++i) {
      expand_into(table, {.first = ids[i], .count = 1}, to + i * table.columns);
    }
  });
  return out;
}

}  // namespace understudy::s5
