// Counters that many threads add to without waiting for each other: one copy per core, summed when
// somebody looks. An add costs a few nanoseconds. Private to adapters/telemetry. Thread-safe.
//
// prometheus-cpp's own counters are one atomic double (a compare-and-swap loop on a line that all
// cores fight for), its histograms take a lock.
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace understudy::telemetry {

class ShardedCells {
 public:
  explicit ShardedCells(std::size_t cells)
      : stride_((cells + cells_per_line - 1) / cells_per_line),
        mask_(shard_count() - 1),
        lines_(std::make_unique<Line[]>(stride_ * (mask_ + 1))) {}

  // Negative amounts wrap around, and so does their sum: gauges that go up and down come out right.
  void add(std::size_t cell, std::uint64_t amount = 1) {
    const int core = ::sched_getcpu();  // about 2 ns; -1 where there is none
    const std::size_t shard = static_cast<std::size_t>(std::max(core, 0)) & mask_;
    at(shard, cell).fetch_add(amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t total(std::size_t cell) const {
    std::uint64_t sum = 0;
    for (std::size_t shard = 0; shard <= mask_; ++shard)
      sum += at(shard, cell).load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::size_t cells_per_line = 8;
  static constexpr std::size_t shards_max = 16;
  struct alignas(64) Line {
    std::atomic<std::uint64_t> cells[cells_per_line] = {};
  };

  static std::size_t shard_count() {
    return std::bit_ceil(
        std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, shards_max));
  }
  [[nodiscard]] std::atomic<std::uint64_t>& at(std::size_t shard, std::size_t cell) const {
    return lines_[shard * stride_ + cell / cells_per_line].cells[cell % cells_per_line];
  }

  std::size_t stride_;  // lines a shard
  std::size_t mask_;
  std::unique_ptr<Line[]> lines_;
};

}  // namespace understudy::telemetry
