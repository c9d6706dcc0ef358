// Is the small model's success rate at most `margin` below the LLM's? For tasks with outcomes
// (rewards, verdicts of tools), on the same calls. Agreement is another question (agreement.hpp).
//
// Method: paired calls are right for both, wrong for both, or right for one only; the difference of
// the success rates is the share of "only the small model" minus that of "only the LLM". Both are
// bounded exactly (Clopper-Pearson), at level delta / 2 each, so that the statement is wrong with a
// chance of at most delta whatever the two have to do with each other. Pure.
#pragma once

#include <cstdint>

namespace understudy::quality {

struct PairedOutcomes {
  std::int64_t calls = 0;           // all of them
  std::int64_t only_llm_right = 0;  // calls >= the sum of these two
  std::int64_t only_slm_right = 0;
};

struct NonInferiority {
  double difference = 0;         // SLM minus LLM, as observed
  double difference_lower = -1;  // the true one lies below with a chance of at most delta
  bool holds = false;            // difference_lower >= -margin
};

struct NonInferiorityRule {
  double margin = 0.02;  // loss of success rate that is accepted
  double delta = 0.1;
};

NonInferiority non_inferiority(PairedOutcomes outcomes, NonInferiorityRule rule);

}  // namespace understudy::quality
