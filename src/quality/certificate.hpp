// The proof that lets a small model answer: with a chance of at least 1 - delta, at most a share
// alpha of the calls that it keeps (confidence >= threshold) disagree with the teacher.
//
// Method: Learn then Test (Angelopoulos et al., arXiv 2110.01052) with fixed-sequence testing from
// several starts (its Algorithm 1), as the fallback procedure (B. L. Wiens, Pharmaceutical
// Statistics 2 (2003), 211-215; Wiens and Dmitrienko, J. Biopharm. Stat. 15 (2005), 929-942). The
// grid of thresholds, the starts and their shares of delta are fixed from the confidences alone,
// before any label is looked at. The grid is walked from the strictest threshold down; a start
// brings its share of delta, a threshold whose exact binomial (Clopper-Pearson) test passes hands
// what it had on to the next one, one that fails loses it. So one unlucky call at the tight end
// costs a share and does not end everything.
//
// Why all thresholds that pass hold at once with a chance of at least 1 - delta: take the first
// threshold in the walk that passes although its true rate is above alpha. Its level is made of the
// shares of the starts behind the last such threshold before it, which did not pass, up to itself.
// These shares are disjoint for different thresholds of that kind, so that their levels add up to
// delta at most, and with them the chances that one passes. It holds for dependent tests, too.
//
// A threshold that is merely tuned on the same calls breaks its own alpha in about half of the
// cases. Of the thresholds that pass, the loosest is taken whose least sure kept calls are still
// sound; any choice among them keeps the guarantee. Assumes independent calls: repeats count once,
// sessions are not split. Pure and deterministic.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quality/agreement.hpp"
#include "quality/agreement_curve.hpp"
#include "records/evaluation.hpp"

namespace understudy::quality {

// A model that would keep fewer of a task's calls than this is not worth its upkeep.
inline constexpr double coverage_min = 0.1;

struct Guarantee {
  double alpha = 0.05;  // disagreement that is accepted among kept calls; 0 < alpha < 1
  double delta = 0.1;   // chance that the statement is wrong; 0 < delta < 1
};

struct Certificate {
  double threshold = 2;  // above 1: nothing could be certified
  std::int64_t kept = 0;
  std::int64_t disagreements = 0;
  double bound = 1;  // upper bound of the disagreement among kept calls, at the level of its test

  [[nodiscard]] bool holds() const { return kept > 0; }
};

// A threshold of the walk. `share` of delta begins at it; those of a grid add up to 1.
struct GridStep {
  double threshold = 0;
  double share = 0;
};

// Thresholds, strictest first; all above 0, so that failed predictions are never kept.
std::vector<GridStep> threshold_grid(std::span<const double> confidences, Guarantee guarantee);

// `beside`: judged calls of a model much like this one. They have no part in the proof; among the
// thresholds that it allows they help to choose, as the calibration calls alone leave that to
// chance.
Certificate certify(std::span<const Judged> calibration, Guarantee guarantee,
                    std::span<const AgreementBin> beside = {});

// Kept calls after which a true disagreement rate is certified with a chance of at least 0.8;
// nothing when that takes more than about a hundred thousand (the rate is too near alpha, or above
// it).
std::optional<std::int64_t> calls_needed(Guarantee guarantee, double true_rate);

struct Decision {
  Verdict verdict = Verdict::keep_llm;
  std::int64_t calls_needed = 0;  // for needs_more_data: further calibration calls
  std::string reason;             // one sentence for people
};

// What follows from the certificate, and, where it does not hold, whether more calls could change
// that.
Decision decide(std::span<const Judged> calibration, const Certificate& certificate,
                Guarantee guarantee);

}  // namespace understudy::quality
