#include "quality/binomial.hpp"

#include <boost/math/distributions/binomial.hpp>

#include "base/check.hpp"

namespace understudy::quality {

namespace {

using Binomial = boost::math::binomial_distribution<double>;

void check(Proportion observed) {
  CHECK(observed.successes >= 0 && observed.successes <= observed.trials,
        "a proportion counts some of its trials");
}

}  // namespace

double upper_bound(Proportion observed, double delta) {
  check(observed);
  if (observed.successes == observed.trials) return 1;  // also without trials
  return Binomial::find_upper_bound_on_p(static_cast<double>(observed.trials),
                                         static_cast<double>(observed.successes), delta);
}

double lower_bound(Proportion observed, double delta) {
  check(observed);
  if (observed.successes == 0) return 0;
  return Binomial::find_lower_bound_on_p(static_cast<double>(observed.trials),
                                         static_cast<double>(observed.successes), delta);
}

Interval interval(Proportion observed, double confidence) {
  const double each = (1 - confidence) / 2;
  return {.lower = lower_bound(observed, each), .upper = upper_bound(observed, each)};
}

double binomial_cdf(Proportion observed, double probability) {
  check(observed);
  return boost::math::cdf(Binomial(static_cast<double>(observed.trials), probability),
                          static_cast<double>(observed.successes));
}

}  // namespace understudy::quality
