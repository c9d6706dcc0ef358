#include "steps/s5_tune/torch/optimiser.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace understudy::s5 {

namespace {

constexpr double momentum = 0.9;
constexpr double variance_memory = 0.999;
constexpr double epsilon = 1e-8;
constexpr std::int64_t block = 256;

// Averages of gradients: a sign and the square of 127 steps. Averages of squares: the fourth power
// of 255 steps, rounded up, since a variance of zero would make a step of any size.
struct SignedCode {
  static std::uint8_t encode(float value, float largest) {
    if (largest == 0) return 127;
    const float steps = std::nearbyint(127.0F * std::sqrt(std::abs(value) / largest));
    return static_cast<std::uint8_t>(
        127 + (value < 0 ? -static_cast<int>(steps) : static_cast<int>(steps)));
  }
  static float decode(std::uint8_t code, float largest) {
    const float steps = (static_cast<float>(code) - 127.0F) / 127.0F;
    return largest * steps * std::abs(steps);
  }
};
struct PositiveCode {
  static std::uint8_t encode(float value, float largest) {
    if (largest == 0) return 0;
    // A little less than the whole step that a decoded value lies on, so that it stays there.
    const float steps = 255.0F * std::sqrt(std::sqrt(value / largest)) - 1e-3F;
    return static_cast<std::uint8_t>(std::clamp(std::ceil(steps), 0.0F, 255.0F));
  }
  static float decode(std::uint8_t code, float largest) {
    const float share = static_cast<float>(code) / 255.0F;
    return largest * (share * share) * (share * share);
  }
};

std::int64_t blocks_of(std::int64_t count) { return (count + block - 1) / block; }

template <class Code, class Codes>
void store(Codes& codes, std::int64_t at, const float* values, std::int64_t count) {
  float largest = 0;
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  codes.largest[static_cast<std::size_t>(at / block)] = largest;
  for (std::int64_t i = 0; i < count; ++i) {
    codes.codes[static_cast<std::size_t>(at + i)] = Code::encode(values[i], largest);
  }
}

template <class Code, class Codes>
void load(const Codes& codes, std::int64_t at, float* values, std::int64_t count) {
  const float largest = codes.largest[static_cast<std::size_t>(at / block)];
  for (std::int64_t i = 0; i < count; ++i) {
    values[i] = Code::decode(codes.codes[static_cast<std::size_t>(at + i)], largest);
  }
}

template <class Function>
void for_each_block(std::int64_t count, const Function& function) {
  at::parallel_for(0, blocks_of(count), 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      function(i * block, std::min(block, count - i * block));
    }
  });
}

}  // namespace

AdamW::AdamW(const Trained& trained, const AdamWOptions& options)
    : options_(options), count_(trained.parameters().numel()) {
  if (options.state == OptimiserState::f32) {
    first_ = at::zeros_like(trained.parameters());
    second_ = at::zeros_like(trained.parameters());
    return;
  }
  const auto count = static_cast<std::size_t>(count_);
  const auto blocks = static_cast<std::size_t>(blocks_of(count_));
  first_codes_ = {.codes = std::vector<std::uint8_t>(count, 127),
                  .largest = std::vector<float>(blocks, 0)};
  second_codes_ = {.codes = std::vector<std::uint8_t>(count, 0),
                   .largest = std::vector<float>(blocks, 0)};
}

double AdamW::step(Trained& trained, std::int64_t step, double rate) {
  const at::Tensor& gradients = trained.gradients();
  const double norm = gradients.norm().item<double>();
  if (norm > options_.gradient_norm_max) gradients.mul_(options_.gradient_norm_max / norm);
  if (options_.state == OptimiserState::eight_bits) {
    step_in_eight_bits(trained, step, rate);
  } else {
    const at::Tensor count =
        at::full({}, static_cast<double>(step + 1), at::TensorOptions(at::kFloat));
    at::_fused_adamw_({trained.parameters()}, {gradients}, {first_}, {second_}, {}, {count}, rate,
                      momentum, variance_memory, options_.weight_decay, epsilon,
                      /*amsgrad=*/false, /*maximize=*/false);
  }
  trained.refresh();
  return norm;
}

void AdamW::step_in_eight_bits(Trained& trained, std::int64_t step, double rate) {
  const auto number = static_cast<double>(step + 1);
  const auto step_size = static_cast<float>(rate / (1 - std::pow(momentum, number)));
  const auto correction = static_cast<float>(std::sqrt(1 - std::pow(variance_memory, number)));
  const auto decay = static_cast<float>(1 - rate * options_.weight_decay);
  float* parameters = trained.parameters().data_ptr<float>();
  const float* gradients = trained.gradients().const_data_ptr<float>();
  for_each_block(count_, [&](std::int64_t at, std::int64_t count) {
    std::array<float, block> first{};
    std::array<float, block> second{};
    load<SignedCode>(first_codes_, at, first.data(), count);
    load<PositiveCode>(second_codes_, at, second.data(), count);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const float g = gradients[at + i];
      first[k] += static_cast<float>(1 - momentum) * (g - first[k]);
      second[k] += static_cast<float>(1 - variance_memory) * (g * g - second[k]);
      const float spread = std::sqrt(second[k]) / correction + static_cast<float>(epsilon);
      parameters[at + i] = parameters[at + i] * decay - step_size * first[k] / spread;
    }
    store<SignedCode>(first_codes_, at, first.data(), count);
    store<PositiveCode>(second_codes_, at, second.data(), count);
  });
}

at::Tensor AdamW::first() const {
  if (options_.state == OptimiserState::f32) return first_;
  at::Tensor all = at::empty({count_}, at::TensorOptions(at::kFloat));
  for_each_block(count_, [&](std::int64_t at, std::int64_t count) {
    load<SignedCode>(first_codes_, at, all.data_ptr<float>() + at, count);
  });
  return all;
}

at::Tensor AdamW::second() const {
  if (options_.state == OptimiserState::f32) return second_;
  at::Tensor all = at::empty({count_}, at::TensorOptions(at::kFloat));
  for_each_block(count_, [&](std::int64_t at, std::int64_t count) {
    load<PositiveCode>(second_codes_, at, all.data_ptr<float>() + at, count);
  });
  return all;
}

void AdamW::restore(const at::Tensor& first, const at::Tensor& second) {
  if (options_.state == OptimiserState::f32) {
    first_.copy_(first);
    second_.copy_(second);
    return;
  }
  for_each_block(count_, [&](std::int64_t at, std::int64_t count) {
    store<SignedCode>(first_codes_, at, first.const_data_ptr<float>() + at, count);
    store<PositiveCode>(second_codes_, at, second.const_data_ptr<float>() + at, count);
  });
}

std::size_t AdamW::state_bytes() const {
  if (options_.state == OptimiserState::f32) return static_cast<std::size_t>(count_) * 8;
  return first_codes_.codes.size() * 2 + first_codes_.largest.size() * 8;
}

}  // namespace understudy::s5
