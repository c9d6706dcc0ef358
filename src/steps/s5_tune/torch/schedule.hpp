// The learning rate over a training run of unknown length: warm-up, then level, then down to zero
// once the validation part no longer gets better, or when steps or time run out ("warm-up, stable,
// decay", arXiv 2404.06395). Pure; one thread.
#pragma once

#include <cstdint>

namespace understudy::s5 {

struct ScheduleLimits {
  std::int64_t steps_max = 0;
  double seconds_max = 0;
};

class Schedule {
 public:
  explicit Schedule(const ScheduleLimits& limits) : limits_(limits) {}

  // The factor for the next step's learning rate; 0 means that the run is over.
  double next(std::int64_t step, double seconds);
  // Tells how the validation part looks now.
  void observe(double validation_loss, double validation_exact);

 private:
  [[nodiscard]] bool decay_begins(std::int64_t step, double seconds) const;

  ScheduleLimits limits_;
  double best_loss_ = 1e30;
  int stale_ = 0;        // observations since the loss was best
  int good_enough_ = 0;  // observations in a row with next to no error
  std::int64_t decay_from_ = -1;
  std::int64_t decay_to_ = -1;
  double decay_from_s_ = 0;
};

}  // namespace understudy::s5
