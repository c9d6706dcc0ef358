#include "steps/s5_tune/torch/ranks.hpp"

#include <ATen/ops/full.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
// A CUDA libtorch's own word; its header wants NCCL's.
#if defined(USE_C10D_NCCL) && __has_include(<nccl.h>)
#define UNDERSTUDY_HAS_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#undef CHECK
#include "base/check.hpp"

namespace understudy::s5 {

namespace {

constexpr auto patience = std::chrono::minutes(10);  // for the others to come

Result<int> number_of(const char* variable, int largest) {
  const char* text = std::getenv(variable);
  int value = -1;
  const std::string_view digits = text == nullptr ? "" : text;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || parsed.ptr != digits.data() + digits.size() || value < 0 ||
      value > largest) {
    return fail(ErrorCode::invalid_input,
                std::string(variable) + " is " + (text == nullptr ? "not set" : text),
                "torchrun and the like set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; start "
                "the trainer through one of them, or unset WORLD_SIZE.");
  }
  return value;
}

}  // namespace

struct Ranks::Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::Backend> gloo;
  c10::intrusive_ptr<c10d::Backend> nccl;  // null: tensors elsewhere go through the CPU
};

Ranks::Ranks() = default;
Ranks::~Ranks() = default;
Ranks::Ranks(Ranks&&) noexcept = default;
Ranks& Ranks::operator=(Ranks&&) noexcept = default;

Result<Ranks> Ranks::from_environment([[maybe_unused]] at::Device device) {
  Ranks ranks;
  if (std::getenv("WORLD_SIZE") == nullptr) return ranks;
  ranks.size_ = TRY(number_of("WORLD_SIZE", 1 << 16));
  if (ranks.size_ <= 1) return Ranks();
  ranks.rank_ = TRY(number_of("RANK", ranks.size_ - 1));
  const int port = TRY(number_of("MASTER_PORT", 65'535));
  const char* leader = std::getenv("MASTER_ADDR");
  if (leader == nullptr) return fail(ErrorCode::invalid_input, "MASTER_ADDR is not set");
  try {
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(port);
    // torchrun's agent serves the store itself and says so.
    const char* served = std::getenv("TORCHELASTIC_USE_AGENT_STORE");
    options.isServer = ranks.leads() && (served == nullptr || std::string_view(served) != "True");
    options.numWorkers = static_cast<std::size_t>(ranks.size_);
    options.waitWorkers = false;
    options.timeout = patience;
    options.useLibUV = false;  // Debian's libtorch has none
    auto group = std::make_unique<Group>();
    group->store = c10::make_intrusive<c10d::PrefixStore>(
        "understudy-train", c10::make_intrusive<c10d::TCPStore>(leader, options));
    const auto gloo = c10d::ProcessGroupGloo::Options::create(patience);
    gloo->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
    group->gloo =
        c10::make_intrusive<c10d::ProcessGroupGloo>(group->store, ranks.rank_, ranks.size_, gloo);
#ifdef UNDERSTUDY_HAS_NCCL
    if (device.is_cuda()) {
      group->nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(
          c10::make_intrusive<c10d::PrefixStore>("nccl", group->store), ranks.rank_, ranks.size_);
    }
#endif
    ranks.group_ = std::move(group);
  } catch (const std::exception& error) {
    return fail(ErrorCode::unavailable, std::string("cannot meet the other ranks: ") + error.what(),
                "Look at MASTER_ADDR and MASTER_PORT, and whether all ranks run.");
  }
  return ranks;
}

void Ranks::sum(const at::Tensor& values) const {
  if (group_ == nullptr) return;
  const bool by_nccl = group_->nccl && values.is_cuda();
  std::vector<at::Tensor> tensors = {by_nccl ? values : values.cpu()};
  (by_nccl ? group_->nccl : group_->gloo)->allreduce(tensors)->wait();
  if (!tensors.front().is_same(values)) values.copy_(tensors.front());
}

double Ranks::sum(double value) const {
  if (group_ == nullptr) return value;
  const at::Tensor one = at::full({1}, value, at::TensorOptions(at::kDouble));
  sum(one);
  return one.item<double>();
}

double Ranks::of_leader(double value) const { return sum(leads() ? value : 0.0); }

}  // namespace understudy::s5
