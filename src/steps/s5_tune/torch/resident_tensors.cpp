#include "steps/s5_tune/torch/resident_tensors.hpp"

#include "steps/s5_tune/torch/block_expansion.hpp"

namespace understudy::s5 {

namespace {

at::ScalarType plain_type(lm::StoredAs type) {
  switch (type) {
    case lm::StoredAs::f16: return at::kHalf;
    case lm::StoredAs::bf16: return at::kBFloat16;
    default: return at::kFloat;
  }
}

// On the device in the computed type, or as bytes.
at::Tensor placed(const lm::StoredTensor& tensor, const Computing& computing) {
  // libtorch takes no const memory; nobody writes to a base weight.
  void* data = const_cast<std::byte*>(tensor.bytes.data());
  if (is_in_blocks(tensor.type)) {
    return at::from_blob(data, {tensor.rows, static_cast<std::int64_t>(tensor.row_bytes())},
                         at::TensorOptions(at::kByte))
        .to(computing.device);
  }
  return at::from_blob(data, {tensor.rows, tensor.columns},
                       at::TensorOptions(plain_type(tensor.type)))
      .to(computing.device)
      .to(computing.type);
}

}  // namespace

const at::Tensor& ResidentTensors::of(const lm::StoredTensor& tensor) {
  if (const auto known = tensors_.find(tensor.name); known != tensors_.end()) return known->second;
  at::Tensor there = placed(tensor, computing_);
  bytes_ += there.nbytes();
  return tensors_.emplace(tensor.name, std::move(there)).first->second;
}

}  // namespace understudy::s5
