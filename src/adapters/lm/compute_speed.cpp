#include "adapters/lm/compute_speed.hpp"

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "adapters/lm/llama_backend.hpp"
#include "base/clock.hpp"

namespace understudy::lm {

namespace {

// Beyond any cache of a machine that runs small models on its processor.
constexpr std::size_t sweep_bytes = std::size_t{256} << 20;
// A layer of a model of about 1 billion parameters, and a batch of llama-server's size.
constexpr std::int64_t width = 2048;
constexpr std::int64_t batch = 256;
constexpr int rounds = 4;

// Reads one thread's share; the sum keeps the compiler from leaving the reading out.
std::uint64_t sweep(const std::uint64_t* begin, const std::uint64_t* end) {
  std::uint64_t sums[8] = {};
  for (; begin + 8 <= end; begin += 8) {
    for (int i = 0; i < 8; ++i) sums[i] += begin[i];
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t part : sums) sum += part;
  return sum;
}

double memory_speed(unsigned threads) {
  std::vector<std::uint64_t> words(sweep_bytes / sizeof(std::uint64_t), 1);  // touched by filling
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::uint64_t> sums(threads);
    const Stopwatch watch;
    {
      std::vector<std::jthread> workers;
      const std::size_t share = words.size() / threads;
      for (unsigned t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] {
          const std::uint64_t* begin = words.data() + t * share;
          sums[t] = sweep(begin, begin + share);
        });
      }
    }
    best = std::max(best, static_cast<double>(sweep_bytes) / watch.elapsed_s());
  }
  return best;
}

template <auto release>
struct Release {
  void operator()(auto* owned) const { release(owned); }
};
using Backend = std::unique_ptr<ggml_backend, Release<ggml_backend_free>>;
using Context = std::unique_ptr<ggml_context, Release<ggml_free>>;
using Buffer = std::unique_ptr<ggml_backend_buffer, Release<ggml_backend_buffer_free>>;

void set_threads(ggml_backend_t backend, unsigned threads) {
  const ggml_backend_reg_t registry =
      ggml_backend_dev_backend_reg(ggml_backend_get_device(backend));
  const auto set = reinterpret_cast<ggml_backend_set_n_threads_t>(
      ggml_backend_reg_get_proc_address(registry, "ggml_backend_set_n_threads"));
  if (set != nullptr) set(backend, static_cast<int>(threads));
}

Result<double> multiply_speed(unsigned threads) {
  prepare_llama();
  const Backend backend(ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr));
  if (!backend)
    return fail(ErrorCode::unavailable, "ggml has no code for this processor",
                "install llama.cpp's CPU back ends");
  set_threads(backend.get(), threads);
  const Context context(ggml_init({.mem_size = 16 * ggml_tensor_overhead() + ggml_graph_overhead(),
                                   .mem_buffer = nullptr,
                                   .no_alloc = true}));
  ggml_tensor* weights = ggml_new_tensor_2d(context.get(), GGML_TYPE_F16, width, width);
  ggml_tensor* activations = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, width, batch);
  ggml_tensor* product = ggml_mul_mat(context.get(), weights, activations);
  ggml_cgraph* graph = ggml_new_graph(context.get());
  ggml_build_forward_expand(graph, product);
  const Buffer buffer(ggml_backend_alloc_ctx_tensors(context.get(), backend.get()));
  if (!buffer) return fail(ErrorCode::exhausted, "no memory for measuring this machine");
  ggml_backend_buffer_clear(buffer.get(), 0);
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    const Stopwatch watch;
    if (ggml_backend_graph_compute(backend.get(), graph) != GGML_STATUS_SUCCESS)
      return fail(ErrorCode::unavailable, "ggml could not multiply two matrices here");
    best = std::max(best, 2.0 * width * width * batch / watch.elapsed_s());
  }
  return best;
}

}  // namespace

Result<ComputeSpeed> measure_compute_speed(unsigned threads) {
  return ComputeSpeed{.memory_bytes_per_s = memory_speed(threads),
                      .multiply_flops = TRY(multiply_speed(threads))};
}

}  // namespace understudy::lm
