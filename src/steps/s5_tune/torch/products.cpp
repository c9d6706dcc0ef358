#include "steps/s5_tune/torch/products.hpp"

#include <ATen/ops/matmul.h>
#include <omp.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace understudy::s5 {

namespace {

using Layout = dnnl::memory::desc;

// For each thread: more shapes than a step has, of some half a megabyte each, which threads share
// through oneDNN's own cache of as many again. Emptied when it is full.
constexpr std::size_t kernels_kept_max = 512;
// The rows that a packed matrix is laid out for; the order suits any number: measured from 16 to
// 2,048.
constexpr std::int64_t rows_packed_for = 512;

const dnnl::engine& processor() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::memory::data_type type_of(at::ScalarType type) {
  return type == at::kBFloat16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

std::span<const std::int64_t> used(const MatrixView::Extents& extents, std::size_t dimensions) {
  return std::span(extents).first(dimensions);
}

Layout layout_of(const MatrixView& view) {
  const auto sizes = used(view.sizes, view.dimensions);
  const auto strides = used(view.strides, view.dimensions);
  return {{sizes.begin(), sizes.end()}, type_of(view.type), {strides.begin(), strides.end()}};
}

// What a kernel is made for. Has no padding: its bytes are its value.
struct Shape {
  MatrixView::Extents a_sizes, a_strides, b_sizes, b_strides, to_sizes, to_strides;
  std::uint64_t packed = 0;  // the layout of b; 0: it is plain
  double scale = 1;
  std::int64_t dimensions = 2;
  std::int64_t threads = 1;
  std::int32_t from_type = 0, to_type = 0;
  std::int64_t added = 0;

  bool operator==(const Shape& other) const {
    return std::memcmp(this, &other, sizeof(Shape)) == 0;
  }
};
static_assert(std::has_unique_object_representations_v<MatrixView::Extents>);

struct ShapeHash {
  std::size_t operator()(const Shape& shape) const { return XXH3_64bits(&shape, sizeof shape); }
};

Shape shape_of(const MatrixView& a, const MatrixView& b, const MatrixView& to,
               const ProductOptions& options) {
  return {.a_sizes = a.sizes,
          .a_strides = a.strides,
          .b_sizes = b.sizes,
          .b_strides = b.strides,
          .to_sizes = to.sizes,
          .to_strides = to.strides,
          .scale = options.scale,
          .dimensions = static_cast<std::int64_t>(a.dimensions),
          .threads = omp_get_max_threads(),
          .from_type = static_cast<std::int32_t>(a.type),
          .to_type = static_cast<std::int32_t>(to.type),
          .added = options.added ? 1 : 0};
}

dnnl::matmul::primitive_desc description(const Layout& a, const Layout& b, const Layout& to,
                                         const ProductOptions& options, bool or_empty = false) {
  dnnl::post_ops behind;
  if (options.scale != 1) {
    behind.append_eltwise(dnnl::algorithm::eltwise_linear, static_cast<float>(options.scale), 0);
  }
  if (options.added) behind.append_sum(1);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(behind);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {processor(), a, b, to, attributes, or_empty};
}

// Made for one shape; belongs to one thread.
class Kernel {
 public:
  Kernel(const Layout& a, const Layout& b, const Layout& to, const ProductOptions& options)
      : Kernel(description(a, b, to, options)) {}

  void run(void* a, void* b, void* to) {
    thread_local dnnl::stream stream(processor());
    thread_local at::Tensor scratch;
    if (scratch_bytes_ > 0 && (!scratch.defined() || scratch.numel() < scratch_bytes_)) {
      scratch = at::empty({scratch_bytes_}, at::TensorOptions(at::kByte));
    }
    a_.set_data_handle(a);
    b_.set_data_handle(b);
    to_.set_data_handle(to);
    scratch_.set_data_handle(scratch_bytes_ > 0 ? scratch.data_ptr() : nullptr);
    // Not product_.execute(), which makes a map of these on the heap and a list of the map.
    const std::array<dnnl_exec_arg_t, 4> arguments = {{{DNNL_ARG_SRC, a_.get()},
                                                       {DNNL_ARG_WEIGHTS, b_.get()},
                                                       {DNNL_ARG_DST, to_.get()},
                                                       {DNNL_ARG_SCRATCHPAD, scratch_.get()}}};
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(product_.get(), stream.get(), static_cast<int>(arguments.size()),
                               arguments.data()),
        "a matrix product failed");
  }

 private:
  explicit Kernel(const dnnl::matmul::primitive_desc& made)
      : product_(made),
        a_(made.src_desc(), processor(), nullptr),
        b_(made.weights_desc(), processor(), nullptr),
        to_(made.dst_desc(), processor(), nullptr),
        scratch_(made.scratchpad_desc(), processor(), nullptr),
        scratch_bytes_(static_cast<std::int64_t>(made.scratchpad_desc().get_size())) {}

  dnnl::matmul product_;
  dnnl::memory a_, b_, to_, scratch_;
  std::int64_t scratch_bytes_;
};

// The thread's own.
template <class Make>
Kernel& kernel_for(const Shape& shape, const Make& make) {
  thread_local std::unordered_map<Shape, Kernel, ShapeHash> kernels;
  if (const auto known = kernels.find(shape); known != kernels.end()) return known->second;
  if (kernels.size() >= kernels_kept_max) kernels.clear();
  return kernels.emplace(shape, make()).first->second;
}

ProductObserver& observer() {
  thread_local ProductObserver of_thread;
  return of_thread;
}

// Kernels multiply by a packed matrix too: `b` is where it lies.
void run(Kernel& kernel, const MatrixView& a, void* b, const MatrixView& to) {
  if (!observer()) return kernel.run(a.data, b, to.data);
  const Stopwatch watch;
  kernel.run(a.data, b, to.data);
  observer()(a, to, watch.elapsed_s());
}

bool knows_bf16() {
  static const bool knows = [] {
    using dnnl::memory;
    const memory::desc any({32, 32}, memory::data_type::bf16, memory::format_tag::ab);
    return static_cast<bool>(description(any, any, any, {}, /*or_empty=*/true));
  }();
  return knows;
}

at::Tensor tensor_of(const MatrixView& view) {
  return at::from_blob(view.data, used(view.sizes, view.dimensions),
                       used(view.strides, view.dimensions), at::TensorOptions(view.type));
}

void put_by_libtorch(const at::Tensor& to, const at::Tensor& a, const at::Tensor& b,
                     const ProductOptions& options) {
  const bool flat = a.dim() == 2 && to.scalar_type() == a.scalar_type();
  if (flat && options.added) {
    to.addmm_(a, b, 1, options.scale);
  } else if (options.added) {
    to.add_(at::matmul(a, b), options.scale);
  } else {
    to.copy_(options.scale == 1 ? at::matmul(a, b) : at::matmul(a, b).mul_(options.scale));
  }
}

}  // namespace

struct PackedMatrix::Layout {
  dnnl::memory::desc of;
  std::int64_t columns;
  std::uint64_t hash;
};

MatrixView MatrixView::of(const at::Tensor& tensor) {
  MatrixView view{.data = tensor.data_ptr(),
                  .type = tensor.scalar_type(),
                  .dimensions = static_cast<std::size_t>(tensor.dim())};
  CHECK(view.dimensions >= 2 && view.dimensions <= dimensions_max, "a matrix, or a batch");
  std::ranges::copy(tensor.sizes(), view.sizes.begin());
  std::ranges::copy(tensor.strides(), view.strides.begin());
  return view;
}

MatrixView MatrixView::transposed() const {
  MatrixView other = *this;
  std::swap(other.sizes[dimensions - 1], other.sizes[dimensions - 2]);
  std::swap(other.strides[dimensions - 1], other.strides[dimensions - 2]);
  return other;
}

bool multiplies_directly(at::ScalarType type) {
  return type == at::kFloat || (type == at::kBFloat16 && knows_bf16());
}

void multiply(const MatrixView& a, const MatrixView& b, const MatrixView& to,
              const ProductOptions& options) {
  if (!multiplies_directly(a.type)) {
    return put_by_libtorch(tensor_of(to), tensor_of(a), tensor_of(b), options);
  }
  run(kernel_for(shape_of(a, b, to, options),
                 [&] { return Kernel(layout_of(a), layout_of(b), layout_of(to), options); }),
      a, b.data, to);
}

void observe_products(ProductObserver by) { observer() = std::move(by); }

void put_product(const at::Tensor& to, const at::Tensor& a, const at::Tensor& b,
                 const ProductOptions& options) {
  if (!a.is_cpu()) return put_by_libtorch(to, a, b, options);
  multiply(MatrixView::of(a), MatrixView::of(b), MatrixView::of(to), options);
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b, double scale) {
  at::Tensor to = at::empty({a.size(0), b.size(1)}, a.options());
  put_product(to, a, b, {.scale = scale});
  return to;
}

PackedMatrix::PackedMatrix(const at::Tensor& matrix) {
  using dnnl::memory;
  const std::int64_t inner = matrix.size(0);
  const std::int64_t columns = matrix.size(1);
  const auto type = type_of(matrix.scalar_type());
  const auto plain = [&](std::int64_t rows, std::int64_t width) {
    return memory::desc({rows, width}, type, memory::format_tag::ab);
  };
  const memory::desc any({inner, columns}, type, memory::format_tag::any);
  const memory::desc chosen =
      description(plain(rows_packed_for, inner), any, plain(rows_packed_for, columns), {})
          .weights_desc();
  const std::vector<std::uint8_t> blob = memory::desc(chosen).get_blob();
  layout_ = std::make_shared<Layout>(
      Layout{.of = chosen, .columns = columns, .hash = XXH3_64bits(blob.data(), blob.size()) | 1U});
  bytes_ = at::empty({static_cast<std::int64_t>(chosen.get_size())}, at::TensorOptions(at::kByte));
  memory from(layout_of(MatrixView::of(matrix)), processor(), matrix.data_ptr());
  memory to(chosen, processor(), bytes_.data_ptr());
  dnnl::stream stream(processor());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
}

void put_product(const at::Tensor& to, const at::Tensor& a, const PackedMatrix& b,
                 const ProductOptions& options) {
  const MatrixView from = MatrixView::of(a);
  const MatrixView into = MatrixView::of(to);
  const PackedMatrix::Layout& layout = *b.layout_;
  Shape shape = shape_of(from, {}, into, options);
  shape.packed = layout.hash;
  run(kernel_for(shape,
                 [&] { return Kernel(layout_of(from), layout.of, layout_of(into), options); }),
      from, b.bytes_.data_ptr(), into);
}

at::Tensor product(const at::Tensor& a, const PackedMatrix& b) {
  at::Tensor to = at::empty({a.size(0), b.layout_->columns}, a.options());
  put_product(to, a, b);
  return to;
}

}  // namespace understudy::s5
