// Adam (Kingma and Ba, arXiv 1412.6980) over dense parameters. Private to adapters/text.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace understudy::text {

class Adam {
 public:
  explicit Adam(std::size_t count) : first_(count), second_(count) {}

  // Takes the gradient, and leaves it zero.
  void step(std::span<float> parameters, std::span<float> gradient, float rate) {
    constexpr float momentum = 0.9F;
    constexpr float variance_memory = 0.999F;
    constexpr float tiny = 1e-8F;
    ++steps_;
    const float first_bias = 1 - std::pow(momentum, static_cast<float>(steps_));
    const float second_bias = 1 - std::pow(variance_memory, static_cast<float>(steps_));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const float g = gradient[i];
      first_[i] = momentum * first_[i] + (1 - momentum) * g;
      second_[i] = variance_memory * second_[i] + (1 - variance_memory) * g * g;
      parameters[i] -=
          rate * (first_[i] / first_bias) / (std::sqrt(second_[i] / second_bias) + tiny);
      gradient[i] = 0;
    }
  }

 private:
  std::vector<float> first_;
  std::vector<float> second_;
  std::size_t steps_ = 0;
};

}  // namespace understudy::text
