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

// Nothing where none can be spared, or where calls hang together so that far too many would go.
std::optional<std::uint32_t> confidence_rank_max(const std::vector<std::uint32_t>& ranks) {
  if (ranks.size() < training_calls_to_spare) return std::nullopt;
  const auto wanted =
      std::min(confidence_calls_max,
               static_cast<std::size_t>(confidence_share * static_cast<double>(ranks.size())));
  const std::uint32_t last = rank_max(ranks, wanted);
  const auto chosen = std::ranges::count_if(ranks, [last](auto rank) { return rank <= last; });
  if (static_cast<std::size_t>(chosen) > 2 * wanted) return std::nullopt;
  return last;
}

}  // namespace

TaskSplits::TaskSplits(std::span<const Example> examples,
                       const std::unordered_set<CallId>& members) {
  std::vector<std::uint32_t> calibration;
  std::vector<std::uint32_t> test;
  std::vector<std::uint32_t> train;
  for (const Example& example : examples) {
    if (!members.contains(example.call)) continue;
    switch (example.split) {
      case Split::train: train.push_back(example.rank); break;
      case Split::calibration: calibration.push_back(example.rank); break;
      case Split::test: test.push_back(example.rank); break;
    }
  }
  confidence_rank_max_ = confidence_rank_max(train);
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

bool TaskSplits::fits_confidence(const Example& example) const {
  return confidence_rank_max_ && example.split == Split::train &&
         example.rank <= *confidence_rank_max_;
}

}  // namespace understudy
