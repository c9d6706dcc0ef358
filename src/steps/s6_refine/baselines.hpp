// What a small model must beat before it is worth its upkeep: an exact-match cache, which costs
// nothing, and a cheaper API model, where the user named one. And, beside agreement, what became of
// calls that somebody rated. Private to steps/s6_refine.
#pragma once

#include <span>

#include "base/result.hpp"
#include "economics/price_table.hpp"
#include "quality/agreement.hpp"
#include "quality/certificate.hpp"
#include "records/evaluation.hpp"
#include "steps/s6_refine/evaluate.hpp"
#include "steps/s6_refine/held_out.hpp"

namespace understudy::s6 {

CacheBaseline cache_baseline(const HeldOut& held_out);

// Asks `options.cheaper` about test calls, at most `options.cheaper_calls_max` of them. An answer
// that it cannot give counts as one that differs; fails where it gives none at all.
Result<CheaperBaseline> cheaper_baseline(const Task& task, const HeldOut& held_out,
                                         const EvaluateOptions& options);

CallPrices call_prices(const HeldOut& held_out, const Evaluation& evaluation,
                       const economics::PriceTable& prices);

// Of the kept calls with a reward; at least half of it is a success.
OutcomeComparison compare_outcomes(std::span<const HeldOutCall> calls,
                                   std::span<const quality::Judged> judged,
                                   const Evaluation& evaluation);

// Takes the recommendation back from a proven model that does not beat the baselines.
void weigh_baselines(Evaluation& evaluation);

}  // namespace understudy::s6
