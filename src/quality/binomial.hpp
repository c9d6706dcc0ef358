// Exact (Clopper-Pearson) bounds of a proportion from `successes` out of `trials`. Pure. Source:
// C. J. Clopper and E. S. Pearson, Biometrika 26 (1934); computed by Boost.Math's inverse
// incomplete beta function.
#pragma once

#include <cstdint>

namespace understudy::quality {

struct Proportion {
  std::int64_t successes = 0;  // 0 <= successes <= trials
  std::int64_t trials = 0;
};

struct Interval {
  double lower = 0;
  double upper = 1;
};

// The true proportion lies above the bound with a chance of at most `delta`; 1 without trials.
double upper_bound(Proportion observed, double delta);
// The true proportion lies below the bound with a chance of at most `delta`; 0 without trials.
double lower_bound(Proportion observed, double delta);
// Two-sided: the true proportion lies outside with a chance of at most 1 - confidence.
Interval interval(Proportion observed, double confidence = 0.95);

// P(X <= successes) for X ~ Binomial(trials, probability).
double binomial_cdf(Proportion observed, double probability);

}  // namespace understudy::quality
