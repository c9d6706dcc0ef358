// Which of a task's examples train, calibrate and test: as curation split them, but a large task
// puts no more aside than its proof needs, and learns from the rest. Those with the smallest ranks
// stay aside, so that a call which once trained never judges: more calls only lower the limit.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>

#include "base/ids.hpp"
#include "records/example.hpp"

namespace understudy {

// Of the sessions, as curation draws them; the rest is for the test.
inline constexpr double train_share = 0.70;
inline constexpr double calibration_share = 0.18;
// At 1,000 calls a bound at level 0.1 lies 0.9 % above a disagreement of 4 %; at 2,700 0.5 %.
inline constexpr std::size_t calibration_calls_max = 1'000;
inline constexpr std::size_t test_calls_max = 600;
// Of a task's training calls, from so many on, this part is kept from its model and tells it how
// sure it may be (records/confidence_model.hpp); with fewer, each is needed to learn from.
inline constexpr std::size_t training_calls_to_spare = 400;
inline constexpr double confidence_share = 0.125;
inline constexpr std::size_t confidence_calls_max = 300;

class TaskSplits {
 public:
  // `members`: the calls that clustering assigned to the task.
  TaskSplits(std::span<const Example> examples, const std::unordered_set<CallId>& members);

  [[nodiscard]] Split of(const Example& example) const;
  // A training call of the task that fits its model's confidence and trains no model that has one.
  [[nodiscard]] bool fits_confidence(const Example& example) const;

 private:
  std::optional<std::uint32_t> confidence_rank_max_;
  std::uint32_t calibration_rank_max_;
  std::uint32_t test_rank_max_;
};

}  // namespace understudy
