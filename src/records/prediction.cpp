#include "records/prediction.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace understudy {

namespace {

// The value below which a tenth of them lies; of fewer than ten the least.
double tenth_of(std::vector<double>& values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 10);
  std::ranges::nth_element(values, at);
  return *at;
}

}  // namespace

std::optional<AnswerSigns> signs_of(std::vector<double> log_probabilities,
                                    std::vector<double> margins) {
  if (log_probabilities.empty() || margins.size() != log_probabilities.size()) return std::nullopt;
  AnswerSigns signs;
  signs.tokens = static_cast<std::int64_t>(log_probabilities.size());
  signs.log_probability_min = std::ranges::min(log_probabilities);
  signs.log_probability_mean =
      std::accumulate(log_probabilities.begin(), log_probabilities.end(), 0.0) /
      static_cast<double>(log_probabilities.size());
  signs.log_probability_tenth = tenth_of(log_probabilities);
  signs.margin_min = std::ranges::min(margins);
  signs.margin_tenth = tenth_of(margins);
  return signs;
}

}  // namespace understudy
