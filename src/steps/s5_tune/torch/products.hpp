// Matrix products. In the CPU's memory oneDNN is asked for them directly: through libtorch each
// product costs some 30 us beside its work (descriptors, a look for its kernel, a tensor for the
// result), which is half of a narrow one, and cannot be added in f32 to what is there, nor leave
// its matrices where they lie. A kernel is made for each shape (1 to 3 ms, half a megabyte), so
// this is for shapes that come again; nano's change with every batch. f64, and other devices, take
// libtorch's own. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include "steps/s5_tune/torch/tensor.hpp"

namespace understudy::s5 {

// A matrix, or a batch of them along one or two leading dimensions, as it lies in memory: in any
// order of its dimensions. A batch of one meets each of the other factor's.
struct MatrixView {
  static constexpr std::size_t dimensions_max = 4;
  using Extents = std::array<std::int64_t, dimensions_max>;

  void* data = nullptr;
  at::ScalarType type = at::kFloat;
  std::size_t dimensions = 2;
  Extents sizes = {};
  Extents strides = {};  // in values

  static MatrixView of(const at::Tensor& tensor);
  [[nodiscard]] MatrixView transposed() const;
};

struct ProductOptions {
  double scale = 1;
  bool added = false;  // to what is there
};

// Whether oneDNN is asked for products of this type here.
bool multiplies_directly(at::ScalarType type);

// to = scale * a b, or added. a and b of one type; `to` of the same, or of the type of its sums.
void multiply(const MatrixView& a, const MatrixView& b, const MatrixView& to,
              const ProductOptions& options = {});
// The same of tensors of two dimensions, on any device.
void put_product(const at::Tensor& to, const at::Tensor& a, const at::Tensor& b,
                 const ProductOptions& options = {});
[[nodiscard]] at::Tensor product(const at::Tensor& a, const at::Tensor& b, double scale = 1);

// A matrix in the order in which oneDNN multiplies by it. A product that takes a plain one puts it
// into that order first, every time, which costs a twentieth of it and more where few rows meet it.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  // `matrix`: the second factor, of a type that multiplies_directly, in any order.
  explicit PackedMatrix(const at::Tensor& matrix);

  [[nodiscard]] std::size_t bytes() const { return bytes_.nbytes(); }

 private:
  friend void put_product(const at::Tensor&, const at::Tensor&, const PackedMatrix&,
                          const ProductOptions&);
  friend at::Tensor product(const at::Tensor&, const PackedMatrix&);
  struct Layout;

  std::shared_ptr<const Layout> layout_;
  at::Tensor bytes_;
};

void put_product(const at::Tensor& to, const at::Tensor& a, const PackedMatrix& b,
                 const ProductOptions& options = {});
[[nodiscard]] at::Tensor product(const at::Tensor& a, const PackedMatrix& b);

// Called behind each product that this thread asks oneDNN for: how a benchmark splits a step.
using ProductObserver =
    std::function<void(const MatrixView& a, const MatrixView& to, double seconds)>;
void observe_products(ProductObserver observer);  // empty: nobody

}  // namespace understudy::s5
