#include "steps/s5_tune/torch/optimiser.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "steps/s5_tune/torch/composed_codes.hpp"

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
void store(const Codes& codes, std::int64_t at, const float* values, std::int64_t count) {
  float largest = 0;
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  codes.largest.template data_ptr<float>()[at / block] = largest;
  std::uint8_t* to = codes.codes.template data_ptr<std::uint8_t>() + at;
  for (std::int64_t i = 0; i < count; ++i) to[i] = Code::encode(values[i], largest);
}

template <class Code, class Codes>
void load(const Codes& codes, std::int64_t at, float* values, std::int64_t count) {
  const float largest = codes.largest.template const_data_ptr<float>()[at / block];
  const std::uint8_t* from = codes.codes.template const_data_ptr<std::uint8_t>() + at;
  for (std::int64_t i = 0; i < count; ++i) values[i] = Code::decode(from[i], largest);
}

template <class Function>
void for_each_block(std::int64_t count, const Function& function) {
  at::parallel_for(0, blocks_of(count), 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      function(i * block, std::min(block, count - i * block));
    }
  });
}

// Off the CPU: some blocks at a time, which bounds the temporaries.
constexpr std::int64_t blocks_at_once = 1 << 16;

template <class Function>  // of (first block, blocks)
void for_panels(std::int64_t count, const Function& function) {
  const std::int64_t blocks = blocks_of(count);
  for (std::int64_t first = 0; first < blocks; first += blocks_at_once) {
    function(first, std::min(blocks_at_once, blocks - first));
  }
}

template <class Codes>
composed::CodedBlocks panel_of(const Codes& codes, std::int64_t first, std::int64_t blocks) {
  return {.codes = codes.codes.narrow(0, first * block, blocks * block).view({blocks, block}),
          .largest = codes.largest.narrow(0, first, blocks).view({blocks, 1})};
}

// The values of some blocks; zeros behind the last.
at::Tensor values_of(const at::Tensor& flat, std::int64_t first, std::int64_t blocks) {
  const std::int64_t count = std::min(blocks * block, flat.numel() - first * block);
  return at::constant_pad_nd(flat.narrow(0, first * block, count), {0, blocks * block - count})
      .view({blocks, block});
}

void put_values(const at::Tensor& values, const at::Tensor& flat, std::int64_t first) {
  const std::int64_t count = std::min(values.numel(), flat.numel() - first * block);
  flat.narrow(0, first * block, count).copy_(values.reshape({-1}).narrow(0, 0, count));
}

}  // namespace

AdamW::Codes AdamW::make_codes(const Trained& trained, std::uint8_t zero) const {
  const at::TensorOptions there = trained.parameters().options();
  const std::int64_t blocks = blocks_of(count_);
  return {.codes = at::full({blocks * block}, zero, there.dtype(at::kByte)),
          .largest = at::zeros({blocks}, there.dtype(at::kFloat))};
}

AdamW::AdamW(const Trained& trained, const AdamWOptions& options)
    : options_(options), form_(trained.form()), count_(trained.parameters().numel()) {
  if (options.state == OptimiserState::f32) {
    first_ = at::zeros_like(trained.parameters());
    second_ = at::zeros_like(trained.parameters());
    return;
  }
  first_codes_ = make_codes(trained, 127);
  second_codes_ = make_codes(trained, 0);
}

double AdamW::step(Trained& trained, std::int64_t step, double rate) {
  const at::Tensor& gradients = trained.gradients();
  const double norm = gradients.norm().item<double>();
  if (norm > options_.gradient_norm_max) gradients.mul_(options_.gradient_norm_max / norm);
  if (options_.state == OptimiserState::eight_bits) {
    const auto number = static_cast<double>(step + 1);
    const Step by{
        .size = static_cast<float>(rate / (1 - std::pow(momentum, number))),
        .correction = static_cast<float>(std::sqrt(1 - std::pow(variance_memory, number))),
        .decay = static_cast<float>(1 - rate * options_.weight_decay)};
    if (form_ == OperationForm::composed) {
      step_composed(trained, by);
    } else {
      step_in_eight_bits(trained, by);
    }
  } else {
    const at::Tensor count = at::full({}, static_cast<double>(step + 1),
                                      trained.parameters().options().dtype(at::kFloat));
    at::_fused_adamw_({trained.parameters()}, {gradients}, {first_}, {second_}, {}, {count}, rate,
                      momentum, variance_memory, options_.weight_decay, epsilon,
                      /*amsgrad=*/false, /*maximize=*/false);
  }
  trained.refresh();
  return norm;
}

void AdamW::step_in_eight_bits(Trained& trained, const Step& by) {
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
      const float spread = std::sqrt(second[k]) / by.correction + static_cast<float>(epsilon);
      parameters[at + i] = parameters[at + i] * by.decay - by.size * first[k] / spread;
    }
    store<SignedCode>(first_codes_, at, first.data(), count);
    store<PositiveCode>(second_codes_, at, second.data(), count);
  });
}

void AdamW::step_composed(Trained& trained, const Step& by) {
  for_panels(count_, [&](std::int64_t begin, std::int64_t blocks) {
    const composed::CodedBlocks first_codes = panel_of(first_codes_, begin, blocks);
    const composed::CodedBlocks second_codes = panel_of(second_codes_, begin, blocks);
    const at::Tensor gradients = values_of(trained.gradients(), begin, blocks);
    const at::Tensor first = composed::decode_signed(first_codes);
    const at::Tensor second = composed::decode_positive(second_codes);
    first.add_(gradients.sub(first), 1 - momentum);
    second.add_(gradients.square().sub_(second), 1 - variance_memory);
    const at::Tensor spread = second.sqrt().div_(by.correction).add_(epsilon);
    const at::Tensor parameters = values_of(trained.parameters(), begin, blocks);
    put_values(parameters.mul(by.decay).sub_(first.div(spread).mul_(by.size)), trained.parameters(),
               begin);
    composed::encode_signed(first, first_codes);
    composed::encode_positive(second, second_codes);
  });
}

namespace {

template <class Code, class Codes>
at::Tensor decoded(const Codes& codes, std::int64_t count) {
  at::Tensor all = at::empty({count}, at::TensorOptions(at::kFloat));
  for_each_block(count, [&](std::int64_t at, std::int64_t some) {
    load<Code>(codes, at, all.data_ptr<float>() + at, some);
  });
  return all;
}

template <class Codes>
at::Tensor decoded_there(const Codes& codes, std::int64_t count,
                         at::Tensor (*decode)(const composed::CodedBlocks&)) {
  at::Tensor all = at::empty({count}, codes.largest.options());
  for_panels(count, [&](std::int64_t first, std::int64_t blocks) {
    put_values(decode(panel_of(codes, first, blocks)), all, first);
  });
  return all;
}

}  // namespace

at::Tensor AdamW::first() const {
  if (options_.state == OptimiserState::f32) return first_;
  return form_ == OperationForm::composed
             ? decoded_there(first_codes_, count_, composed::decode_signed)
             : decoded<SignedCode>(first_codes_, count_);
}

at::Tensor AdamW::second() const {
  if (options_.state == OptimiserState::f32) return second_;
  return form_ == OperationForm::composed
             ? decoded_there(second_codes_, count_, composed::decode_positive)
             : decoded<PositiveCode>(second_codes_, count_);
}

void AdamW::restore(const at::Tensor& first, const at::Tensor& second) {
  if (options_.state == OptimiserState::f32) {
    first_.copy_(first);
    second_.copy_(second);
    return;
  }
  if (form_ == OperationForm::composed) {
    for_panels(count_, [&](std::int64_t begin, std::int64_t blocks) {
      composed::encode_signed(values_of(first, begin, blocks),
                              panel_of(first_codes_, begin, blocks));
      composed::encode_positive(values_of(second, begin, blocks),
                                panel_of(second_codes_, begin, blocks));
    });
    return;
  }
  for_each_block(count_, [&](std::int64_t at, std::int64_t count) {
    store<SignedCode>(first_codes_, at, first.const_data_ptr<float>() + at, count);
    store<PositiveCode>(second_codes_, at, second.const_data_ptr<float>() + at, count);
  });
}

std::size_t AdamW::state_bytes() const {
  if (options_.state == OptimiserState::f32) return static_cast<std::size_t>(count_) * 8;
  return 2 * (first_codes_.codes.nbytes() + first_codes_.largest.nbytes());
}

}  // namespace understudy::s5
