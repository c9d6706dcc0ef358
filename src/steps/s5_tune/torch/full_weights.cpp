#include "steps/s5_tune/torch/full_weights.hpp"

namespace understudy::s5 {

namespace {

bool is_frozen(const std::string& name) {
  return name.starts_with("rope_") || name.contains(".ssm_") ||
         name.ends_with(".shortconv.conv.weight");
}

}  // namespace

FullWeights::FullWeights(const lm::GgufFile& file, const Computing& computing) {
  std::int64_t count = 0;
  for (const lm::StoredTensor& tensor : file.tensors()) {
    if (!is_frozen(tensor.name)) count += tensor.rows * tensor.columns;
  }
  make_buffers(count, computing);
  std::int64_t at = 0;
  for (const lm::StoredTensor& tensor : file.tensors()) {
    if (is_frozen(tensor.name)) continue;
    const std::int64_t values = tensor.rows * tensor.columns;
    const auto take = [&](const at::Tensor& flat) {
      return flat.narrow(0, at, values).view({tensor.rows, tensor.columns});
    };
    Views views{
        .value = take(parameters_), .computed = take(computed_), .gradient = take(gradients_)};
    std::vector<float> stored = lm::expand(tensor);
    views.value.copy_(
        at::from_blob(stored.data(), {tensor.rows, tensor.columns}, at::TensorOptions(at::kFloat)));
    views_.emplace(tensor.name, std::move(views));
    at += values;
  }
  refresh();
}

const FullWeights::Views* FullWeights::find(const std::string& tensor) const {
  const auto found = views_.find(tensor);
  return found == views_.end() ? nullptr : &found->second;
}

}  // namespace understudy::s5
