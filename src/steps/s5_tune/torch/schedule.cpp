#include "steps/s5_tune/torch/schedule.hpp"

#include <algorithm>

namespace understudy::s5 {

namespace {

constexpr std::int64_t warm_up_steps = 40;
constexpr double decay_share = 0.3;  // of the whole run
constexpr std::int64_t decay_steps_min = 60;
constexpr int stale_max = 6;
constexpr int good_enough_min = 3;
constexpr double exact_good_enough = 0.99;
constexpr double loss_improvement_min =
    0.995;  // a loss counts as better below this share of the best

}  // namespace

void Schedule::observe(double validation_loss, double validation_exact) {
  good_enough_ = validation_exact >= exact_good_enough ? good_enough_ + 1 : 0;
  if (validation_loss < loss_improvement_min * best_loss_) {
    best_loss_ = validation_loss;
    stale_ = 0;
  } else {
    ++stale_;
  }
}

bool Schedule::decay_begins(std::int64_t step, double seconds) const {
  if (stale_ >= stale_max || good_enough_ >= good_enough_min) return true;
  const double level = 1 - decay_share;
  return static_cast<double>(step) >= level * static_cast<double>(limits_.steps_max) ||
         seconds >= level * limits_.seconds_max;
}

double Schedule::next(std::int64_t step, double seconds) {
  if (decay_from_ < 0 && decay_begins(step, seconds)) {
    decay_from_ = step;
    decay_from_s_ = seconds;
    const auto length =
        static_cast<std::int64_t>(decay_share / (1 - decay_share) * static_cast<double>(step));
    decay_to_ = std::min(limits_.steps_max, step + std::max(decay_steps_min, length));
  }
  const double warm = std::min(1.0, static_cast<double>(step + 1) / warm_up_steps);
  if (decay_from_ < 0) return warm;
  const double by_steps = static_cast<double>(step - decay_from_) /
                          static_cast<double>(std::max<std::int64_t>(1, decay_to_ - decay_from_));
  const double by_time =
      (seconds - decay_from_s_) / std::max(1e-3, limits_.seconds_max - decay_from_s_);
  return warm * std::max(0.0, 1 - std::max(by_steps, by_time));
}

}  // namespace understudy::s5
