#include "records/task_splits.hpp"

#include <algorithm>
#include <vector>

namespace understudy {

namespace {

// Of the last that stays aside.
std::uint32_t rank_max(std::vector<std::uint32_t> ranks, std::size_t calls_max) {
  if (ranks.size() <= calls_max) return UINT32_MAX;
  const auto last = ranks.begin() + static_cast<std::ptrdiff_t>(calls_max) - 1;
  std::ranges::nth_element(ranks, last);
  return *last;
}

}  // namespace

TaskSplits::TaskSplits(std::span<const Example> examples,
                       const std::unordered_set<CallId>& members) {
  std::vector<std::uint32_t> calibration;
  std::vector<std::uint32_t> test;
  for (const Example& example : examples) {
    if (example.split == Split::train || !members.contains(example.call)) continue;
    (example.split == Split::test ? test : calibration).push_back(example.rank);
  }
  calibration_rank_max_ = rank_max(std::move(calibration), calibration_calls_max);
  test_rank_max_ = rank_max(std::move(test), test_calls_max);
}

Split TaskSplits::of(const Example& example) const {
  switch (example.split) {
    case Split::train: return Split::train;
    case Split::calibration:
      return example.rank <= calibration_rank_max_ ? Split::calibration : Split::train;
    case Split::test: return example.rank <= test_rank_max_ ? Split::test : Split::train;
  }
  return Split::train;
}

}  // namespace understudy
