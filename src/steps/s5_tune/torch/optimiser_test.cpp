#include "steps/s5_tune/torch/optimiser.hpp"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cmath>

namespace understudy::s5 {
namespace {

// Pulls towards a target, with slopes of many sizes.
class Bowl : public Trained {
 public:
  explicit Bowl(OperationForm form = OperationForm::row_kernels) {
    make_buffers(1000, {at::kFloat, form});
  }
  double fill_gradients() {
    const float* x = parameters_.const_data_ptr<float>();
    float* g = gradients_.data_ptr<float>();
    double loss = 0;
    for (int i = 0; i < 1000; ++i) {
      const double steep = std::pow(10.0, -3.0 * i / 1000);
      const double apart = static_cast<double>(x[i]) - std::sin(i);
      loss += 0.5 * steep * apart * apart;
      g[i] = static_cast<float>(steep * apart);
    }
    return loss;
  }
};

double loss_after(OptimiserState state, int steps,
                  OperationForm form = OperationForm::row_kernels) {
  const c10::InferenceMode no_autograd;
  Bowl bowl(form);
  AdamW optimiser(bowl, {.state = state, .gradient_norm_max = 1e9});
  for (int step = 0; step < steps; ++step) {
    bowl.fill_gradients();
    optimiser.step(bowl, step, 0.02);
  }
  return bowl.fill_gradients();
}

TEST(AdamWInEightBits, GoesNearlyAsFarAsInF32OnAQuarterOfTheState) {
  const double before = loss_after(OptimiserState::f32, 0);
  const double full = loss_after(OptimiserState::f32, 60);
  const double eight = loss_after(OptimiserState::eight_bits, 60);
  EXPECT_LT(full, 0.1 * before);
  EXPECT_LT(eight, full + 0.02 * before);
  EXPECT_NEAR(loss_after(OptimiserState::eight_bits, 60, OperationForm::composed), eight,
              1e-3 * before)
      << "as other devices compute it";
  const Bowl bowl;
  EXPECT_LT(100 * AdamW(bowl, {.state = OptimiserState::eight_bits}).state_bytes(),
            27 * AdamW(bowl, {}).state_bytes());
}

TEST(AdamWInEightBits, IsRestoredBitForBit) {
  const c10::InferenceMode no_autograd;
  for (const auto form : {OperationForm::row_kernels, OperationForm::composed}) {
    Bowl bowl(form);
    AdamW optimiser(bowl, {.state = OptimiserState::eight_bits});
    for (int step = 0; step < 5; ++step) {
      bowl.fill_gradients();
      optimiser.step(bowl, step, 0.02);
    }
    AdamW restored(bowl, {.state = OptimiserState::eight_bits});
    restored.restore(optimiser.first(), optimiser.second());
    EXPECT_TRUE(restored.first().equal(optimiser.first()));
    EXPECT_TRUE(restored.second().equal(optimiser.second()));
  }
}

}  // namespace
}  // namespace understudy::s5
