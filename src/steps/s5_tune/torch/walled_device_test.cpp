#include "steps/s5_tune/torch/walled_device.hpp"

#include <ATen/EmptyTensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/Allocator.h>
#include <c10/core/DeviceType.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <torch/library.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <vector>

#undef CHECK
#include "steps/s5_tune/torch/operations.hpp"

namespace understudy::s5 {
namespace {

constexpr auto device_type = c10::DeviceType::PrivateUse1;
const at::Device device(device_type, 0);

class WalledMemory : public c10::Allocator {
 public:
  WalledMemory() {
    const int file = ::memfd_create("device", 0);
    TORCH_CHECK(file >= 0 && ::ftruncate(file, capacity) == 0);
    walled_ = map(file, PROT_NONE);
    open_ = map(file, PROT_READ | PROT_WRITE);
    ::close(file);
  }

  c10::DataPtr allocate(std::size_t bytes) override {
    const std::size_t size = std::bit_ceil(std::max<std::size_t>(bytes, 64));
    std::vector<std::byte*>& free = free_[size];
    std::byte* block = nullptr;
    if (free.empty()) {
      TORCH_CHECK(taken_ + size <= static_cast<std::size_t>(capacity), "the device is full");
      block = walled_ + taken_;
      taken_ += size;
    } else {
      block = free.back();
      free.pop_back();
    }
    sizes_[block] = size;
    return {block, block, &release, device};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void*, const void*, std::size_t) const override {
    TORCH_CHECK(false, "by operators only");
  }
  [[nodiscard]] void* open(void* walled) const {
    return walled == nullptr ? nullptr : open_ + (static_cast<std::byte*>(walled) - walled_);
  }

 private:
  static constexpr off_t capacity = off_t{8} << 30;  // of addresses: pages come as they are used

  static std::byte* map(int file, int protection) {
    void* at = ::mmap(nullptr, capacity, protection, MAP_SHARED | MAP_NORESERVE, file, 0);
    TORCH_CHECK(at != MAP_FAILED);
    return static_cast<std::byte*>(at);
  }
  static void release(void* block);

  std::byte* walled_;
  std::byte* open_;
  std::size_t taken_ = 0;
  std::map<std::size_t, std::vector<std::byte*>> free_;
  std::map<std::byte*, std::size_t> sizes_;
};

// libtorch frees tensors after everything else: never destroyed.
WalledMemory& memory() {
  static auto* walled = new WalledMemory;
  return *walled;
}

void WalledMemory::release(void* block) {
  WalledMemory& all = memory();
  auto* at = static_cast<std::byte*>(block);
  all.free_[all.sizes_.at(at)].push_back(at);
}

struct Guard final : c10::impl::NoOpDeviceGuardImpl<device_type> {
  c10::Device exchangeDevice(c10::Device) const override { return device; }
  c10::Device getDevice() const override { return device; }
  c10::Stream getStream(c10::Device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, device);
  }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return getStream(device); }
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
};

bool register_device() {
  c10::register_privateuse1_backend(walled_device_name);
  at::RegisterPrivateUse1HooksInterface(new Hooks);
  c10::SetAllocator(device_type, &memory());
  static const c10::impl::DeviceGuardImplRegistrar guard(device_type, new Guard);
  return true;
}

at::Tensor opened(const at::Tensor& tensor) {
  if (tensor.device().type() != device_type) return tensor;
  return at::from_blob(memory().open(tensor.data_ptr()), tensor.sizes(), tensor.strides(),
                       at::TensorOptions(tensor.scalar_type()));
}

at::Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides,
                         std::optional<at::ScalarType> type, std::optional<at::Layout>,
                         std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(sizes, strides, &memory(),
                                           c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           type.value_or(at::kFloat));
}

at::Tensor empty(at::IntArrayRef sizes, std::optional<at::ScalarType> type,
                 std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(sizes, &memory(),
                                   c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   type.value_or(at::kFloat), format);
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  opened(to).copy_(opened(from));
  return to;
}

// One call of an operator: its tensors opened, and the way back.
class Opening {
 public:
  explicit Opening(const c10::OperatorHandle& operation) : name_(operation.schema().name()) {}

  c10::IValue in(const c10::IValue& value) {
    if (value.isTensor()) return in(value.toTensor());
    if (value.isDevice()) return at::Device(at::kCPU);
    if (value.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(in(tensor));
      return list;
    }
    if (value.isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> list;
      for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
        list.push_back(tensor ? std::optional(in(*tensor)) : std::nullopt);
      }
      return list;
    }
    return value;
  }

  c10::IValue back(const c10::IValue& value) {
    if (value.isTensor()) return back(value.toTensor());
    if (!value.isTensorList()) return value;
    c10::List<at::Tensor> list;
    for (const at::Tensor& tensor : value.toTensorVector()) list.push_back(back(tensor));
    return list;
  }

  // Outputs that were given empty have grown.
  void finish() {
    for (const auto& [given, open] : pairs_) {
      if (given.numel() != open.numel()) replace(given, back_new(open));
    }
  }

 private:
  at::Tensor in(const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    if (tensor.device().is_cpu()) {
      if (tensor.dim() > 0) throw std::runtime_error(name_ + " got a tensor of the CPU");
      return tensor;  // a number
    }
    at::Tensor open = tensor.numel() == 0
                          ? at::empty(tensor.sizes(), at::TensorOptions(tensor.scalar_type()))
                          : opened(tensor);
    pairs_.emplace_back(tensor, open);
    return open;
  }

  at::Tensor back(const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    for (const auto& [given, open] : pairs_) {
      if (open.is_same(tensor)) return given;
    }
    return back_new(tensor);
  }
  static at::Tensor back_new(const at::Tensor& tensor) {
    at::Tensor made =
        empty_strided(tensor.sizes(), tensor.strides(), tensor.scalar_type(), {}, {}, {});
    if (tensor.numel() > 0) opened(made).copy_(tensor);
    return made;
  }
  static void replace(const at::Tensor& given, const at::Tensor& by) {
    given.unsafeGetTensorImpl()->set_storage_keep_dtype(by.storage());
    given.unsafeGetTensorImpl()->set_sizes_and_strides(by.sizes(), by.strides());
  }

  std::string name_;
  std::vector<std::pair<at::Tensor, at::Tensor>> pairs_;
};

void on_the_cpu(const c10::OperatorHandle& operation, torch::jit::Stack* stack) {
  Opening opening(operation);
  const std::size_t arguments = operation.schema().arguments().size();
  for (std::size_t i = stack->size() - arguments; i < stack->size(); ++i) {
    (*stack)[i] = opening.in((*stack)[i]);
  }
  operation.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  opening.finish();
  const std::size_t results = operation.schema().returns().size();
  for (std::size_t i = stack->size() - results; i < stack->size(); ++i) {
    (*stack)[i] = opening.back((*stack)[i]);
  }
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&on_the_cpu>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("_copy_from", &copy_from);
  library.impl("view", &at::native::view);
  library.impl("as_strided", &at::native::as_strided_tensorimpl);
  library.impl("_reshape_alias", &at::native::_reshape_alias);
}

TEST(WalledDeviceDeathTest, LetsNoKernelReadItsMemoryAndNoTensorOfTheCpuIn) {
  const c10::InferenceMode no_autograd;
  const at::Tensor there = at::arange(8, at::TensorOptions(at::kFloat).device(walled_device()));
  EXPECT_EQ(there.sum().item<float>(), 28);
  EXPECT_THROW(there.add(at::arange(8, at::TensorOptions(at::kFloat))), std::exception);
  EXPECT_DEATH(static_cast<void>(Operations(Computing(at::kFloat)).drop(there, {.keep = 0.5})), "");
}

}  // namespace

at::Device walled_device() {
  static const bool registered = register_device();
  TORCH_CHECK(registered);
  return device;
}

}  // namespace understudy::s5
