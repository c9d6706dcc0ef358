#include "steps/s5_tune/torch/packed_matrices.hpp"

#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <string_view>

namespace understudy::s5 {

namespace {

using Pack = at::Tensor(const at::Tensor&, std::optional<c10::SymInt>);
using Product = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                           std::string_view, c10::List<std::optional<at::Scalar>>,
                           std::optional<std::string_view>);
using ProductAdded = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                const std::optional<at::Tensor>&, std::string_view);

// libtorch registers them by name only; builds without oneDNN have none.
template <class Signature>
std::optional<c10::TypedOperatorHandle<Signature>> find(const char* name, const char* overload) {
  const auto found = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!found) return std::nullopt;
  return found->typed<Signature>();
}

}  // namespace

const PackedMatrices::Matrix* PackedMatrices::pack(const std::string& name,
                                                   const at::Tensor& matrix) {
  static const auto operation = find<Pack>("mkldnn::_reorder_linear_weight", "");
  if (!operation) return nullptr;
  if (const auto known = matrices_.find(name); known != matrices_.end()) return &known->second;
  // The order suits any number of rows: measured from 16 to 2,048.
  Matrix packed{.forward = operation->call(matrix, std::nullopt),
                .back = operation->call(matrix.t().contiguous(), std::nullopt)};
  bytes_ += 2 * matrix.nbytes();
  return &matrices_.emplace(name, std::move(packed)).first->second;
}

at::Tensor packed_product(const at::Tensor& x, const at::Tensor& packed) {
  static const auto operation = find<Product>("mkldnn::_linear_pointwise", "");
  return operation->call(x, packed, std::nullopt, "none", c10::List<std::optional<at::Scalar>>(),
                         "");
}

at::Tensor packed_product_added(const at::Tensor& sum, const at::Tensor& x,
                                const at::Tensor& packed) {
  static const auto operation = find<ProductAdded>("mkldnn::_linear_pointwise", "binary");
  return operation->call(x, sum, packed, std::nullopt, "add");
}

}  // namespace understudy::s5
