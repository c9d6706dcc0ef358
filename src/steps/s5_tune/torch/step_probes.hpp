// What lora_bench measures beside its steps: how fast this machine multiplies matrices, and how a
// step's time is split over its parts. Header only, as only a benchmark needs it. One thread calls.
#pragma once

#include <ATen/ops/empty.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "steps/s5_tune/families/decoder_plan.hpp"
#include "steps/s5_tune/torch/products.hpp"

namespace understudy::s5 {

inline double processor_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The roofline: the fastest product of any shape that a step has, or of a large square, with its
// matrix packed, in the same type and with the same threads, by the clock, over a quarter of a
// second: a step takes seconds, which a burst of a few products says nothing of. The first second
// of a process can show half of it (both threads start on one core), so it warms up, and is asked
// again behind each step: the machine changes its speed.
class ProductsProbe {
 public:
  ProductsProbe(const DecoderPlan& plan, std::int64_t tokens, at::ScalarType type) {
    constexpr std::int64_t square = 2048;
    const auto filled = [&](std::int64_t rows, std::int64_t columns) {
      return at::empty({rows, columns}, type).fill_(0.5);
    };
    const at::Tensor weight = filled(plan.feed_forward, plan.width);
    const at::Tensor narrow = filled(tokens, plan.width);
    const at::Tensor wide = filled(tokens, plan.feed_forward);
    products_ = {Product{narrow, weight.t()}, Product{wide, weight},
                 Product{filled(square, square), filled(square, square)}};
    constexpr double warm_up_s = 1.5;
    for (const Stopwatch watch; watch.elapsed_s() < warm_up_s;) measure();
  }

  double measure() {  // operations a second, now
    double now = 0;
    for (const Product& product : products_) {
      const auto work = 2.0 * static_cast<double>(product.a.numel() * product.to.size(1));
      const Stopwatch watch;
      double done = 0;
      for (; watch.elapsed_s() < window_s; done += work) {
        put_product(product.to, product.a, product.b);
      }
      now = std::max(now, done / watch.elapsed_s());
    }
    return now;
  }

 private:
  struct Product {
    Product(at::Tensor from, const at::Tensor& by)
        : a(std::move(from)), b(by), to(at::empty({a.size(0), by.size(1)}, a.options())) {}
    at::Tensor a;
    PackedMatrix b;
    at::Tensor to;
  };
  std::vector<Product> products_;
  static constexpr double window_s = 0.25;
};

// Where the time of steps goes on the thread that made it, by the shapes of its products.
struct StepSplit {
  double head_s = 0, adapter_s = 0, attention_s = 0, layers_s = 0;
};

class StepProfile {
 public:
  StepProfile(const DecoderPlan& plan, std::int64_t rank)
      : vocabulary_(plan.vocabulary), rank_(rank) {
    observe_products([this](const MatrixView& a, const MatrixView& to, double seconds) {
      part_of(a, to) += seconds;
    });
  }
  ~StepProfile() { observe_products({}); }
  StepProfile(const StepProfile&) = delete;
  StepProfile& operator=(const StepProfile&) = delete;

  [[nodiscard]] const StepSplit& split() const { return split_; }

 private:
  double& part_of(const MatrixView& a, const MatrixView& to) {
    if (a.dimensions > 2) return split_.attention_s;
    const auto has = [&](std::int64_t size) {
      return a.sizes[1] == size || to.sizes[0] == size || to.sizes[1] == size;
    };
    if (has(vocabulary_)) return split_.head_s;
    // Layers that read the same rows have their adapters side by side, three at most.
    const bool adapts = rank_ > 0 && (has(rank_) || has(2 * rank_) || has(3 * rank_));
    return adapts ? split_.adapter_s : split_.layers_s;
  }

  std::int64_t vocabulary_, rank_;
  StepSplit split_;
};

}  // namespace understudy::s5
