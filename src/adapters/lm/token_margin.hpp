// How far a written token lies above the best other one, from what a server says of a step. Private
// to adapters/lm. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/json.hpp"

namespace understudy::lm {

// Natural logarithms. `is_it`: whether an entry of top_logprobs is the written token. Where the
// server names no other, its distance to all of them together, which is less.
template <class IsIt>
double margin_of(const json::value& step, double log_probability, const IsIt& is_it) {
  std::optional<double> best;
  if (const json::array* top = json::find_array(step, "top_logprobs")) {
    for (const json::value& other : *top) {
      const auto log = json::find_number(other, "logprob");
      if (log && !std::isnan(*log) && !is_it(other)) best = std::max(best.value_or(*log), *log);
    }
  }
  constexpr double least = 1e-9;  // a float's probability is not told from 1 more finely
  const double others = -std::expm1(std::min(log_probability, 0.0));
  return log_probability - best.value_or(std::log(std::max(others, least)));
}

}  // namespace understudy::lm
