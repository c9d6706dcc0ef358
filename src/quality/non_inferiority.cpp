#include "quality/non_inferiority.hpp"

#include "base/check.hpp"
#include "quality/binomial.hpp"

namespace understudy::quality {

NonInferiority non_inferiority(PairedOutcomes outcomes, NonInferiorityRule rule) {
  CHECK(outcomes.only_llm_right >= 0 && outcomes.only_slm_right >= 0 &&
            outcomes.only_llm_right + outcomes.only_slm_right <= outcomes.calls,
        "the parts of a whole");
  NonInferiority result;
  if (outcomes.calls == 0) return result;
  result.difference = static_cast<double>(outcomes.only_slm_right - outcomes.only_llm_right) /
                      static_cast<double>(outcomes.calls);
  const double lost =
      upper_bound({.successes = outcomes.only_llm_right, .trials = outcomes.calls}, rule.delta / 2);
  const double won =
      lower_bound({.successes = outcomes.only_slm_right, .trials = outcomes.calls}, rule.delta / 2);
  result.difference_lower = won - lost;
  result.holds = result.difference_lower >= -rule.margin;
  return result;
}

}  // namespace understudy::quality
