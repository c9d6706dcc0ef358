#include "steps/s5_tune/torch/devices.hpp"

#include <ATen/DeviceAccelerator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <charconv>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string_view>

#undef CHECK
#include "base/check.hpp"
#include "base/process_memory.hpp"

namespace understudy::s5 {

namespace {

bool is_known(at::DeviceType type) { return c10::impl::hasDeviceGuardImpl(type); }

int count_of(at::DeviceType type) {
  return is_known(type) ? c10::impl::getDeviceGuardImpl(type)->deviceCount() : 0;
}

// Of this process among those of its machine.
int local_rank() {
  for (const char* variable : {"LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"}) {
    const char* text = std::getenv(variable);
    if (text == nullptr) continue;
    const std::string_view digits = text;
    int rank = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (parsed.ec == std::errc() && rank >= 0) return rank;
  }
  return 0;
}

// A launcher may show each process a device of its own: then there is one, whatever the rank.
at::Device own_device(at::DeviceType type) {
  return {type, static_cast<at::DeviceIndex>(local_rank() % count_of(type))};
}

std::optional<at::Device> parsed(const std::string& name) {
  try {
    const at::Device device(name);
    if (device.is_cpu() || at::accelerator::isAccelerator(device.type())) return device;
  } catch (const std::exception&) {  // libtorch's way to say no
  }
  return std::nullopt;
}

struct Memory {
  double free = 0, all = 0;
};
Memory memory_of(at::Device device) {
  try {
    const auto [free, all] = at::getDeviceAllocator(device.type())->getMemoryInfo(device.index());
    return {.free = static_cast<double>(free), .all = static_cast<double>(all)};
  } catch (const std::exception&) {  // an allocator that cannot say
    return {};
  }
}

}  // namespace

Result<at::Device> training_device(const std::string& asked) {
  if (asked == automatic_device) {
    return count_of(at::kCUDA) > 0 ? own_device(at::kCUDA) : at::Device(at::kCPU);
  }
  const auto device = parsed(asked);
  if (!device) {
    return fail(ErrorCode::invalid_input, "there is no device \"" + asked + "\"",
                "Give --device auto, cpu, cuda, or cuda:N.");
  }
  if (device->is_cpu()) return at::Device(at::kCPU);
  const std::string name = c10::DeviceTypeName(device->type());
  if (!is_known(device->type())) {
    return fail(ErrorCode::unsupported, "this build's libtorch has no " + name,
                "Configure with -DTorch_DIR=... of a " + name +
                    " build of libtorch and build again, or give --device cpu.");
  }
  const int count = count_of(device->type());
  if (count == 0 || device->index() >= count) {
    return fail(
        ErrorCode::not_found,
        "libtorch sees " + std::to_string(count) + " devices of " + name + ", and not " + asked,
        "Look at the driver (nvidia-smi) and at CUDA_VISIBLE_DEVICES, or give --device "
        "cpu.");
  }
  return device->has_index() ? *device : own_device(device->type());
}

double free_memory_of(at::Device device) { return memory_of(device).free; }

double memory_in_use(at::Device device) {
  if (device.is_cpu()) return resident_bytes();
  const Memory memory = memory_of(device);
  return memory.all - memory.free;
}

}  // namespace understudy::s5
