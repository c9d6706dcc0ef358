// What lora_bench measures beside its steps: how fast this machine multiplies matrices, and how a
// step's time is split over its parts. Header only, as only a benchmark needs it. One thread calls.
#pragma once

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/record_function.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "steps/s5_tune/families/decoder_plan.hpp"

namespace understudy::s5 {

inline double processor_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The roofline: the fastest product of any shape that a step has, or of a large square, in the same
// type and with the same threads, by the clock. The first second of a process can show half of it
// (both threads start on one core), so it warms up, and is asked again between the steps.
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
                 Product{filled(square, square), filled(square, square).t()}};
    constexpr double warm_up_s = 1.5;
    for (const Stopwatch watch; watch.elapsed_s() < warm_up_s;) measure();
  }

  double measure() {  // operations a second, the best until now
    constexpr int times = 2;
    for (const Product& product : products_) {
      const Stopwatch watch;
      for (int i = 0; i < times; ++i) at::mm(product.a, product.b);
      const auto work =
          2.0 * times *
          static_cast<double>(product.a.size(0) * product.a.size(1) * product.b.size(1));
      best_ = std::max(best_, work / watch.elapsed_s());
    }
    return best_;
  }
  [[nodiscard]] double best() const { return best_; }

 private:
  struct Product {
    at::Tensor a, b;
  };
  std::array<Product, 3> products_;
  double best_ = 0;
};

// Where the time of steps goes, by the shapes of the products that libtorch is asked for.
struct StepSplit {
  double head_s = 0, adapter_s = 0, attention_s = 0, layers_s = 0;
  double other_operations_s = 0;  // additions, copies, choices of rows
};

class StepProfile {
 public:
  StepProfile(const DecoderPlan& plan, std::int64_t rank)
      : vocabulary_(plan.vocabulary), rank_(rank) {
    current() = this;
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(&begin, &end)
                                             .needsInputs(true)
                                             .scopes({at::RecordScope::FUNCTION}));
  }
  ~StepProfile() {
    at::removeCallback(handle_);
    current() = nullptr;
  }
  StepProfile(const StepProfile&) = delete;
  StepProfile& operator=(const StepProfile&) = delete;

  [[nodiscard]] const StepSplit& split() const { return split_; }

 private:
  struct Running : at::ObserverContext {
    Stopwatch watch;
    double* part = nullptr;  // null: inside another one, which counts it
  };

  static StepProfile*& current() {
    static thread_local StepProfile* profile = nullptr;
    return profile;
  }

  static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
    auto running = std::make_unique<Running>();
    if (current()->depth_++ == 0) running->part = &current()->part_of(function);
    return running;
  }
  static void end(const at::RecordFunction&, at::ObserverContext* context) {
    const auto* running = static_cast<Running*>(context);
    --current()->depth_;
    if (running->part != nullptr) *running->part += running->watch.elapsed_s();
  }

  double& part_of(const at::RecordFunction& function) {
    const std::string_view name = function.name();
    if (name.find("bmm") != std::string_view::npos) return split_.attention_s;
    const bool product =
        name.ends_with("mm") || name.ends_with("mm_") || name == "mkldnn::_linear_pointwise";
    if (!product) return split_.other_operations_s;
    const auto has = [&](std::int64_t size) {
      return std::ranges::any_of(function.inputs(), [&](const c10::IValue& value) {
        return value.isTensor() && std::ranges::contains(value.toTensor().sizes(), size);
      });
    };
    if (has(vocabulary_)) return split_.head_s;
    return rank_ > 0 && has(rank_) ? split_.adapter_s : split_.layers_s;
  }

  std::int64_t vocabulary_, rank_;
  at::CallbackHandle handle_ = 0;
  int depth_ = 0;
  StepSplit split_;
};

}  // namespace understudy::s5
