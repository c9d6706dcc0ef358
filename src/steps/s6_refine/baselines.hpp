// What a small model has to beat, and what outcomes say of it: an exact-match cache, a cheaper API
// model that the user names, and the paired test on calls with a reward. The cache can take a
// verdict back; the other two are figures beside the agreement. Private to steps/s6_refine.
#pragma once

#include <string>

#include "base/result.hpp"
#include "economics/price_table.hpp"
#include "records/evaluation.hpp"
#include "records/task.hpp"
#include "steps/s6_refine/evaluate.hpp"
#include "steps/s6_refine/judge_quality.hpp"

namespace understudy::s6 {

// A cache that answers as many of the task's calls, as surely, makes the small model needless:
// then a sentence that says so, else nothing.
std::string beaten_by_cache(const CacheBaseline& cache, double alpha);

// Of the test calls with a reward.
OutcomeTest outcome_test(const KeptAnswers& answers, const EvaluateOptions& options);

// `options.cheaper` is set, and the calls have their requests. Fails where it cannot be reached; an
// answer that cannot be read does not agree.
Result<CheaperBaseline> ask_cheaper(const Task& task, const KeptAnswers& answers,
                                    const economics::PriceTable& prices,
                                    const EvaluateOptions& options);

}  // namespace understudy::s6
